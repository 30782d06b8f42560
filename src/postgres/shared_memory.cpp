#include "postgres/shared_memory.h"

#include "postgres/activity.h"
#include "postgres/ledger_mailboxes.h"
#include "postgres/outbox_wait.h"
#include "postgres/shared_rate_limiter.h"
#include "postgres/statistics.h"
#include "postgres/worker_control.h"
#include "postgres/worker_status.h"

#include <cstring>
#include <iterator>

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace reverse_etl::shared_memory {

namespace {

/// Every part, listed once.
Part *const parts[] = {&Activity::shared,   &ledger::mailboxes, &outbox_outcomes,      &rate_limits_part,
                       &statistics::shared, &worker_calls,      &worker_status::shared};

constexpr const char *tranche = "reverse_etl";

bool preloaded = false;
shmem_request_hook_type next_request = nullptr;
shmem_startup_hook_type next_startup = nullptr;

void request_memory() {
    if (next_request != nullptr)
        next_request();
    for (Part *part : parts)
        RequestAddinShmemSpace(CACHELINEALIGN(part->bytes));
    RequestNamedLWLockTranche(tranche, std::size(parts));
}

void start() {
    if (next_startup != nullptr)
        next_startup();
    LWLockPadded *locks = GetNamedLWLockTranche(tranche);
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    for (std::size_t i = 0; i < std::size(parts); i++) {
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

void request() {
    preloaded = true;
    next_request = shmem_request_hook;
    shmem_request_hook = request_memory;
    next_startup = shmem_startup_hook;
    shmem_startup_hook = start;
}

} // namespace reverse_etl::shared_memory
