#include "postgres/shared/shared_memory.h"

#include <cstring>

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace reverse_etl::shared_memory {

namespace {

std::span<Part *const> parts;

constexpr const char *tranche = "reverse_etl";

bool preloaded = false;
shmem_request_hook_type next_request = nullptr;
shmem_startup_hook_type next_startup = nullptr;

void request_memory() {
    if (next_request != nullptr)
        next_request();
    for (Part *part : parts)
        RequestAddinShmemSpace(CACHELINEALIGN(part->bytes));
    RequestNamedLWLockTranche(tranche, static_cast<int>(parts.size()));
}

void start() {
    if (next_startup != nullptr)
        next_startup();
    LWLockPadded *locks = GetNamedLWLockTranche(tranche);
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    for (std::size_t i = 0; i < parts.size(); i++) {
        bool found = false;
        parts[i]->address = ShmemInitStruct(parts[i]->name, parts[i]->bytes, &found);
        parts[i]->lock = &locks[i].lock;
        if (found)
            continue;
        std::memset(parts[i]->address, 0, parts[i]->bytes);
        if (parts[i]->initialise != nullptr)
            parts[i]->initialise(parts[i]->address);
    }
    LWLockRelease(AddinShmemInitLock);
}

} // namespace

bool is_there() {
    return preloaded;
}

void request(std::span<Part *const> all) {
    parts = all;
    preloaded = true;
    next_request = shmem_request_hook;
    shmem_request_hook = request_memory;
    next_startup = shmem_startup_hook;
    shmem_startup_hook = start;
}

void forget_database(Oid database) {
    for (Part *part : parts)
        if (part->forget_database != nullptr)
            part->forget_database(database);
}

} // namespace reverse_etl::shared_memory
