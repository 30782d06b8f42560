#pragma once

#include "postgres/border/postgres.h"

#include <cstdint>
#include <string_view>

extern "C" {
#include "storage/itemptr.h"
}

namespace reverse_etl {

namespace outbox {

/// The columns of reverse_etl_internal.outbox that are read and written here.
enum Column {
    id,
    push,
    sync,
    destination,
    operation,
    enqueued_by,
    deliver_as,
    enqueued_at,
    attempts,
    next_attempt_at,
    key,
    row,
    pack, ///< in place of a row and a key: those of many rows, see engine/queue/row_pack
    column_count
};

/// Where they stand in the rows of one of the outbox's tables.
class Columns {
  public:
    Columns() = default;
    /// Call inside pg_call.
    explicit Columns(Relation table);
    int operator[](Column column) const { return places_[column]; }

  private:
    int places_[column_count] = {};
};

/// Where a tuple lies: its block, then its place in that.
inline std::uint64_t place_of(const ItemPointerData &tid) {
    return static_cast<std::uint64_t>(ItemPointerGetBlockNumberNoCheck(&tid)) << 16 |
           ItemPointerGetOffsetNumberNoCheck(&tid);
}

/// A pack fills a page, beside the other columns. It is never compressed nor stored elsewhere.
constexpr std::size_t most_pack_bytes = BLCKSZ - 256;

/// As the column holds it, in the current memory context; and back. Call inside pg_call.
Datum pack_datum(std::string_view pack);
std::string_view pack_of(Datum value);

} // namespace outbox

/// The table in which new rows of a destination wait: one of its own, which inherits from reverse_etl_internal.outbox,
/// once the worker has made it; that one itself before. Call inside pg_call.
Oid outbox_table_of(Oid destination);

/// Its name, without schema.
const char *outbox_table_name(Oid destination);

} // namespace reverse_etl
