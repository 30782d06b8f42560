#pragma once

#include "postgres/outbox/table.h"

#include <string_view>
#include <vector>

extern "C" {
#include "access/genam.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
}

namespace reverse_etl {

/// A row of the outbox, where it lies; texts are in UTF-8. 0 stands for NULL.
struct FoundRow {
    int64 id, push;
    uint64 place; ///< for delete_found_rows()
    int32 attempts, sync;
    Oid deliver_as;
    TimestampTz enqueued_at, next_attempt_at;
    std::string_view operation, key, row;
};

/// The rows of one destination in one of the outbox's tables, in the order of their numbers, as the present snapshot
/// sees them. It goes by the index without the executor, which would copy every row three times. Belongs into
/// sql::in_transaction; after an error Postgres gives all back itself.
class OutboxScan {
  public:
    /// The rows whose numbers are greater than `after`; none of a table that does not exist.
    OutboxScan(Oid table, Oid destination, int64 after);

    /// The next row, valid until the next call; nullptr after the last one.
    const FoundRow *next();
    void end();

  private:
    void read_slot();

    Relation table_ = nullptr, index_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
    IndexScanDesc scan_ = nullptr;
    outbox::Columns columns_;
    FoundRow row_;
};

/// Deletes rows where they were found; answers the numbers of those that do not lie there any more.
struct FoundPlace {
    int64 id;
    uint64 place;
};
std::vector<int64> delete_found_rows(Oid table, const std::vector<FoundPlace> &rows);

} // namespace reverse_etl
