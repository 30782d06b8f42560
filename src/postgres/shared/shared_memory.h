#pragma once

#include "postgres/border/postgres.h"

#include <cstddef>
#include <span>

extern "C" {
#include "storage/lwlock.h"
}

namespace reverse_etl::shared_memory {

/// What the processes of the cluster share, if the library stands in shared_preload_libraries. Each part is a struct of
/// a fixed size that its module describes here; it is zeroed when the cluster starts, also after a crash. It holds no
/// pointer: none would mean the same in another process.
struct Part {
    const char *name;
    std::size_t bytes;
    void (*initialise)(void *part) = nullptr;        ///< called once, by the postmaster
    void (*forget_database)(Oid database) = nullptr; ///< called when one was dropped
    void *address = nullptr;                         ///< set when the part is there
    LWLock *lock = nullptr;                          ///< guards it
};

/// Whether there is any: the library was preloaded.
bool is_there();

/// Asks for the parts' memory. Called by _PG_init in the postmaster; the list is kept.
void request(std::span<Part *const> parts);

/// Frees what the parts keep of a database that was dropped.
void forget_database(Oid database);

} // namespace reverse_etl::shared_memory
