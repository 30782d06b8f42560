#pragma once

#include "postgres/border/postgres.h"

#include <vector>

namespace reverse_etl {

/// Where a row was found: FoundRow::place.
struct FoundPlace {
    int64 id;
    uint64 place;
};

/// Of a row that was not found by a scan: no block has this number.
constexpr uint64 no_place = uint64{InvalidBlockNumber} << 16;

/// Removes rows from one of the outbox's tables. What is left of a pack is stored anew. A row that lies elsewhere by
/// now is looked for by its number; one that is not there is none any more. Belongs into sql::in_transaction, or a
/// function that SQL calls.
void remove_rows(Oid table, Oid destination, std::vector<FoundPlace> rows);

/// Rows that are in packs are rows of their own afterwards, which SQL can change; others stay as they are.
void unpack_rows(Oid table, Oid destination, std::vector<FoundPlace> rows);

} // namespace reverse_etl
