#pragma once

#include "engine/queue/row_pack.h"
#include "postgres/outbox/table.h"

#include <string>
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
    uint64 place; ///< of the tuple that it is in: see postgres/outbox/removal
    int32 attempts, sync;
    Oid deliver_as;
    TimestampTz enqueued_at, next_attempt_at;
    std::string_view operation, key, row;
    const std::vector<ValuePlace> *values; ///< of a row that was packed: where they stand, in the row, then in the key
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
    /// Hands over the texts of the row that next() answered last, which are no longer its own then; the room of those
    /// that were there is used again.
    void give_texts(std::string &row, std::string &key, std::vector<ValuePlace> &values);
    void end();

  private:
    bool read_tuple();
    bool next_of_pack();
    void read_slot();
    Datum value(outbox::Column column) const;

    Relation table_ = nullptr, index_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
    IndexScanDesc scan_ = nullptr;
    outbox::Columns columns_;
    int64 after_ = 0;
    FoundRow row_;
    // Of the pack that is read:
    bool in_pack_ = false;
    int64 first_id_ = 0;
    PackedRows pack_;
    std::string row_text_, key_text_;
    std::vector<ValuePlace> values_;
};

/// Those of the rows with these numbers, which rise, that are there.
template <class Use>
void for_each_row(Oid table, Oid destination, const std::vector<int64> &ids, Use &&use) {
    // Rows that lie close together are read by one scan.
    constexpr int64 close = 100;
    for (auto id = ids.begin(); id != ids.end();) {
        OutboxScan scan(table, destination, *id - 1);
        const FoundRow *found = scan.next();
        for (const int64 first = *id; id != ids.end() && (*id == first || *id - id[-1] <= close); ++id) {
            while (found != nullptr && found->id < *id)
                found = scan.next();
            if (found != nullptr && found->id == *id)
                use(scan, *found);
        }
        scan.end();
    }
}

} // namespace reverse_etl
