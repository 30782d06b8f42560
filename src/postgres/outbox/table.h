#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

namespace outbox {

/// The columns of reverse_etl.outbox that are read and written here.
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

} // namespace outbox

/// The table in which new rows of a destination wait: one of its own, which inherits from reverse_etl.outbox, once the
/// worker has made it; reverse_etl.outbox itself before. Call inside pg_call.
Oid outbox_table_of(Oid destination);

/// Its name, without schema.
const char *outbox_table_name(Oid destination);

} // namespace reverse_etl
