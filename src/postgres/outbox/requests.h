#pragma once

#include "engine/queue/key_queue.h"
#include "postgres/border/postgres.h"

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// The requests of one destination that cannot simply be made again when they are cut short. Which rows each is made of
/// stands in reverse_etl_internal.outbox_requests before it is made, a row for a request, until those rows have their
/// outcomes.
class OutboxRequests {
  public:
    explicit OutboxRequests(Oid destination) : destination_(destination) {}

    /// The number of a request that is about to be made; its rows have it as their `batch`.
    std::int64_t next() { return next_++; }
    /// The row has its outcome.
    void settled(const QueuedRow &row);
    /// The row waits again, and may leave with others next time.
    void released(QueuedRow &row);
    bool has_changes() const { return !ended_.empty() || !released_.empty(); }

    // In a transaction:

    /// Reads what was noted before, unless it was read: a request that the worker finds was under way when it stopped.
    void read();
    /// The request of a row that was not read before; 0 for none.
    std::int64_t take(std::uint64_t id);
    /// Of the requests that take() named, the rows that it was not asked about.
    std::vector<std::int64_t> rest_of_taken() const;
    /// noted() once it has committed.
    void note(const std::vector<QueuedRow *> &rows) const;
    void noted(const std::vector<QueuedRow *> &rows);
    /// Writes down what was settled and released; forget_changes() once it has committed.
    void store() const;
    void forget_changes();
    /// Forgets what was read, when the rows are read anew.
    void start_over();

  private:
    void count_down(std::int64_t request);

    Oid destination_;
    bool is_read_ = false;
    std::int64_t next_ = 1;
    std::map<std::uint64_t, std::int64_t> found_;                ///< requests that were read, by row
    std::set<std::int64_t> taken_;                               ///< those of which rows were taken
    std::unordered_map<std::int64_t, std::size_t> left_;         ///< how many rows of a request have no outcome
    std::vector<std::int64_t> ended_;                            ///< of which nothing is left
    std::map<std::int64_t, std::vector<std::int64_t>> released_; ///< rows, by request
};

} // namespace reverse_etl
