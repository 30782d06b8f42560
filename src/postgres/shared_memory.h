#pragma once

#include "postgres/postgres.h"

#include <cstddef>

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
    void (*initialise)(void *part); ///< called once, by the postmaster; may be null
    void *address;                  ///< set when the part is there, else nullptr
    LWLock *lock;                   ///< guards it
};

/// Whether there is any: the library was preloaded.
bool is_there();

/// Asks for the parts' memory. Called by _PG_init in the postmaster.
void request();

} // namespace reverse_etl::shared_memory
