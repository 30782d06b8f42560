#pragma once

#include "engine/text/hash_stream.h"
#include "postgres/border/postgres.h"

namespace reverse_etl {

/// What a value in a hash begins with. It tells how many bytes follow, or is followed by their number, so that values
/// of different columns never run into each other. Types that share a kind hash alike where their values are alike.
/// The numbers are part of every stored hash: see row_hash_version.
enum class HashKind : std::uint8_t {
    null = 0,
    boolean = 1,
    integer = 2, ///< smallint, integer, bigint, oid
    float4 = 3,
    float8 = 4,
    numeric = 5,
    text = 6, ///< text, varchar, char(n), name, citext, json, jsonb, xml, enums, and what has only a text form
    bytes = 7,
    uuid = 8,
    date = 9,
    time = 10,
    timetz = 11,
    timestamp = 12,
    timestamptz = 13,
    interval = 14,
    array = 15,
    row = 16,
    range = 17,
    multirange = 18,
    binary = 19, ///< every other type, as it is sent in Postgres' binary protocol
};

/// Adds the values of one type to a hash: what Postgres would print differently is different there, and no setting of
/// the session has a part in it. Made once, then called for every row. It lives in a memory context and needs no
/// destructor, and raises Postgres errors: call it inside pg_call.
class ValueHasher {
  public:
    /// Looks up what there is to know of the type, and makes the hasher in the current memory context.
    static ValueHasher *make(Oid type);

    virtual void add(Datum value, HashStream &stream) = 0;
};

} // namespace reverse_etl
