#pragma once

#include "engine/queue/key_queue.h"
#include "postgres/border/postgres.h"
#include "postgres/outbox/removal.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "datatype/timestamp.h"
#include "storage/lock.h"
}

namespace reverse_etl {

/// A row as it stands in the outbox.
struct StoredRow {
    std::unique_ptr<QueuedRow> row;
    std::string operation;
    Oid deliver_as = InvalidOid;
    TimestampTz enqueued_at = 0, next_attempt_at = 0; ///< the second 0 for none
    bool is_like_last = false;                        ///< its members are those of the row that was read before it
};

/// The rows of one destination in the outbox, read and written by the background worker. All calls belong into
/// sql::in_transaction, and throw what it turns into an Error.
class Outbox {
  public:
    explicit Outbox(Oid destination) : destination_(destination) {}

    /// Destinations that have rows, or a table for them.
    static std::vector<Oid> destinations();

    /// Makes the destination's own table, if it is not there.
    void make_table();

    /// The next rows, in order, of those that `known` does not hold, which makes them; `more` tells whether there are
    /// others after them.
    /// Transactions end in another order than they drew their numbers: rows that came late are found too.
    std::vector<StoredRow> claim(KeyQueue &known, std::size_t most, bool &more);
    /// The rows with these numbers, which rise, that are there and that `known` does not hold; in their order.
    std::vector<StoredRow> find(const std::vector<std::int64_t> &ids, KeyQueue &known) const;
    /// Forgets what was claimed: the next claim begins anew.
    void start_over();

    /// A row that has its outcome. `table` and `place` as in QueuedRow.
    struct SettledRow {
        std::int64_t id;
        int table;
        std::uint64_t place;
    };
    void remove(const std::vector<SettledRow> &rows);
    /// What became of the rows of a push, to be added to its row in reverse_etl.audit_log.
    struct Counts {
        std::int64_t accepted = 0, rejected = 0, absent = 0, replaced = 0;
    };
    static void count(const std::map<std::int64_t, Counts> &pushes);
    struct RowToReject {
        std::int64_t id;
        int table;
        std::uint64_t place;
        std::string reason;
        std::int64_t status;
    };
    /// Moves rows to reverse_etl.rejected_rows.
    void reject(const std::string &destination, const std::vector<RowToReject> &rows);
    /// Rows of a managed sync, none of which must be under way. Those of a request that cannot simply be made again are
    /// not among them: it may have been made, and its outcome has to be learnt.
    struct RowOfSync {
        StoredRow stored;
        bool
            in_doubt; ///< it may have been sent: before, or by a worker that is gone; a create is not sent on suspicion
    };
    std::vector<RowOfSync> of_sync(int32 sync, std::size_t most);
    struct DeferredRow {
        std::int64_t id;
        int table;
        std::uint64_t place;
        std::int64_t attempts, pause_ms;
        std::string reason; ///< "" for none
    };
    /// A row that fails for months keeps so many reasons, the last ones.
    static constexpr std::size_t most_reasons = QueuedRow::most_reasons;
    void defer(const std::vector<DeferredRow> &rows);

    /// Rows that have waited longer than so many milliseconds, the oldest first. Sees nothing of what was claimed.
    std::vector<StoredRow> expired(long ttl_ms, std::size_t most) const;

    /// The number of its rows, and their bytes. Reads them all.
    std::pair<std::int64_t, std::int64_t> count_all();

    /// Gives the space of the table back, if it is empty and nobody writes to it.
    bool truncate_if_empty();
    /// Removes the table, likewise; whether there is none any more.
    bool drop_if_empty();

  private:
    /// Where a row is stored: in reverse_etl_internal.outbox itself, since the destination had no table yet, or in its
    /// own.
    enum Table { shared, own };

    std::vector<StoredRow> read(std::int64_t after, KeyQueue &known, std::size_t most, bool &more);
    std::vector<VirtualTransactionId> writers() const;
    Oid table_oid(int table) const;
    std::string table_name(int table) const;
    std::string unpack(std::vector<FoundPlace> rows, int table) const;

    Oid destination_;
    /// Rows up to `high_` were read, but those of `writers_`, who had not committed. Up to `safe_` there were no such;
    /// up to `mark_` there are none any more once `writers_at_mark_` have ended.
    std::int64_t safe_ = -1, high_ = -1, mark_ = -1;
    std::vector<VirtualTransactionId> writers_, writers_at_mark_;
};

} // namespace reverse_etl
