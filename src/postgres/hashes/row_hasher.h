#pragma once

#include "postgres/hashes/value_hasher.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace reverse_etl {

/// Adds rows to a hash. Columns count by name, in the order of their names, and not by position. What there is to know
/// of the rows' type is learned from the first one, and again when another type comes or a type has changed.
class RowHasher : public ValueHasher {
  public:
    /// Keeps what it learns in the memory context.
    explicit RowHasher(MemoryContext owner) : owner_(owner) {}

    void add(Datum value, HashStream &stream) override;

  private:
    struct Column {
        int number;
        std::uint64_t name; ///< its hash
        ValueHasher *hasher;
    };

    bool knows(Oid type, int32 typmod) const;
    void learn(Oid type, int32 typmod);

    MemoryContext owner_, learned_ = nullptr; ///< the latter holds all that follows
    Oid type_ = InvalidOid;
    int32 typmod_ = -1;
    std::uint64_t changes_ = 0; ///< of types, when it was learned
    TupleDesc descriptor_ = nullptr;
    Datum *values_ = nullptr;
    bool *nulls_ = nullptr;
    Column *columns_ = nullptr, *columns_end_ = nullptr;
};

} // namespace reverse_etl
