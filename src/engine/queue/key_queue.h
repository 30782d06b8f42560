#pragma once

#include "engine/http/transport.h"
#include "engine/queue/number_map.h"
#include "engine/queue/row_table.h"
#include "engine/requests/value_place.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

struct QueuedRow;

/// What there is of a row beside its texts.
struct RowState {
    std::uint64_t id = 0; ///< rises with the order of queueing
    int lane = 0;         ///< rows of a lane can share requests
    std::uint64_t identity_hash = 0;
    bool under_way = false;
    bool may_be_done = false; ///< an attempt may have been carried out, by a process before perhaps
    int attempts = 0;
    Clock::time_point due{}; ///< not before
    std::int64_t batch = 0;  ///< the request that it has to go with; 0 for any
    std::int64_t push = 0;
    std::int32_t sync = 0; ///< the managed sync that learns the outcome; 0 for none
    std::uint32_t role = 0;
    int table = 0;                                 ///< where it is stored, as those understand it who read it
    std::uint64_t place = 0;                       ///< likewise
    std::size_t stored_bytes = 0;                  ///< its own, and those of the changes that it stands for
    std::uint64_t successes = 0;                   ///< of others, when its first attempt failed
    Clock::time_point fails_since{};               ///< when that was
    std::size_t most_together = 0;                 ///< rows of a request, since it failed among more; 0: any number
    bool follows = false;                          ///< on what has ended, and may not be stored yet
    QueuedRow *before = nullptr, *after = nullptr; ///< the changes of its key around it
};

/// A row of the outbox, in memory while it waits for its turn or its outcome.
struct QueuedRow : RowState {
    static constexpr std::size_t most_reasons = 10;

    std::string identity; ///< what its key is to the destination; "": nothing has to be kept in order with it
    std::string key;
    std::string row;
    std::vector<ValuePlace> values; ///< where they stand in `row`, then in `key`; empty where nobody has looked
    struct ReplacedChange {
        std::uint64_t id;
        std::int64_t push;
        int table;
        std::int32_t sync;
        std::uint64_t place;
    };
    std::vector<ReplacedChange> replaced; ///< the changes that it stands for
    std::vector<std::string> reasons;     ///< why its attempts failed

    /// As new, with the room that its texts have.
    void renew();
};

/// Rows of one destination that were taken from the outbox. Changes of one key go one after the other, in their order,
/// also when one has to be tried again; different keys do not wait for each other. A change that waits is replaced by a
/// later one that leaves nothing of it.
class KeyQueue {
  public:
    using Row = std::unique_ptr<QueuedRow>;

    /// A row to be filled: mostly one that has left, whose room is used again. To get four pieces of memory for each
    /// row and to give them back took as long as to write it into its request.
    Row new_row();
    /// Takes a row that has left, and of which nobody needs anything any more.
    void keep(Row row);

    /// Adds a row that came after all others of its key. `may_replace(older, newer)`: whether the newer change leaves
    /// nothing of the older one.
    template <class MayReplace>
    void add(Row row, MayReplace &&may_replace) {
        QueuedRow *last = last_waiting(*row);
        if (last != nullptr && last->batch == 0 && may_replace(*last, *row))
            replace(*last, std::move(row));
        else
            append(std::move(row));
    }

    bool contains(std::uint64_t id) const {
        // Rows come in the order of their numbers, so mostly there is nothing to look for.
        return id <= highest_ && (rows_.contains(id) || replaced_.contains(id) || finished_.contains(id));
    }
    /// A row that is there; throws std::out_of_range otherwise.
    const QueuedRow &row(std::uint64_t id) const { return const_cast<KeyQueue *>(this)->row(id); }
    QueuedRow &row(std::uint64_t id);

    /// The next row of the lane that may go now; nullptr if there is none.
    const QueuedRow *next(int lane, Clock::time_point now);
    /// The same, which from then on is under way.
    QueuedRow *take(int lane, Clock::time_point now);
    /// How many rows of the lane may go now; counted no further than `most`.
    std::size_t ready(int lane, std::size_t most, Clock::time_point now);
    /// Adds a row that is under way already. It must come before all others of its key.
    void add_under_way(Row row);
    /// A change that was replaced by one that is under way.
    void add_replaced(std::uint64_t by, const QueuedRow &older);
    bool is_under_way(std::uint64_t id) const {
        const QueuedRow *row = rows_.find(id);
        return row != nullptr && row->under_way;
    }
    /// A row that was under way has its outcome: it leaves, and the next one of its key may go.
    Row finish(std::uint64_t id);
    /// A row that was not in line has its outcome.
    void finish_unqueued(std::uint64_t id) {
        finished_.insert(id);
        highest_ = std::max(highest_, id);
    }
    /// The outcomes of all that finished are stored: none of those rows is read again.
    void forget_finished() {
        finished_.clear();
        finished_keys_.clear();
    }
    /// A row that was under way has to go again, and not before `due`.
    void put_back(std::uint64_t id, Clock::time_point due);
    /// Nobody has to wait any longer for the time it is due.
    void release_all();
    /// When the next row is due that has to wait.
    Clock::time_point next_due() const;

    std::size_t size() const { return rows_.size() + replaced_.size(); }
    std::size_t bytes() const { return bytes_; }
    std::size_t under_way() const { return under_way_; }
    /// Forgets all rows, which must not be under way.
    void clear();

  private:
    QueuedRow *last_waiting(const QueuedRow &row);
    void append(Row row);
    void add_to_chain(QueuedRow &row);
    void insert(Row row);
    QueuedRow *front(int lane, Clock::time_point now);
    void replace(QueuedRow &last, Row row);
    void make_ready(const QueuedRow &row);
    void unlink(QueuedRow &row);
    void release_due(Clock::time_point now);

    /// So many rows that have left are kept, of at most so many bytes each; none where no other row is at hand.
    static constexpr std::size_t most_kept = 2'000, most_kept_bytes = 2'048;

    RowTable<QueuedRow> rows_;
    NumberSet replaced_;      ///< the rows that others stand for
    NumberSet finished_;      ///< the rows whose outcomes may not be stored yet
    NumberSet finished_keys_; ///< the hashes of their keys
    struct Chain {
        QueuedRow *first = nullptr, *last = nullptr;
    };
    NumberMap<Chain> chains_;   ///< by the hash of a key, its changes in order, of which the first may go
    std::uint64_t highest_ = 0; ///< no row has a higher number
    std::map<int, std::deque<std::uint64_t>> ready_;          ///< by lane; may hold rows that are gone
    std::multimap<Clock::time_point, std::uint64_t> waiting_; ///< by the time they are due
    std::size_t bytes_ = 0, under_way_ = 0;
    std::vector<Row> kept_;
};

} // namespace reverse_etl
