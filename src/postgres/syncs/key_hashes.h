#pragma once

#include "postgres/border/postgres.h"

#include <cstdint>

extern "C" {
#include "storage/buffile.h"
}

namespace reverse_etl {

/// Tells whether one of very many keys comes twice, by their hashes: a million of them take 8 MB of disk and half a
/// megabyte of memory, and a tenth of the time that it takes to group the keys themselves.
///
/// It belongs to a transaction, which closes its files, and needs no destructor. All of it may raise errors of
/// Postgres.
class KeyHashes {
  public:
    /// Keeps what it needs in the memory context.
    explicit KeyHashes(MemoryContext context);

    void add(std::uint64_t hash);
    /// True if some do, or may; once, when all were added.
    bool any_twice();

  private:
    struct Part {
        std::uint64_t *hashes;
        int count;
        BufFile *file; ///< nullptr until the room is full
        std::uint64_t in_file;
    };

    void spill(Part &part);
    bool any_twice(Part &part);

    MemoryContext context_;
    Part *parts_;
};

} // namespace reverse_etl
