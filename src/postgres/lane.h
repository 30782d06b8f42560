#pragma once

#include "engine/delivery.h"
#include "engine/json_row.h"
#include "engine/key_queue.h"
#include "postgres/activity.h"
#include "postgres/push_plan.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// What rows have in common that can share requests: the operation, whose rights and credentials they leave with, and
/// the columns, by name.
struct LaneKey {
    std::string operation;
    Oid role = InvalidOid;
    std::vector<std::string> names; ///< those of the row, then those of the key
    std::size_t of_row = 0;

    auto operator<=>(const LaneKey &) const = default;
};

/// Sends rows of the outbox that can share requests, by the same line as a statement's rows.
class Lane {
  public:
    /// Throws an Error that says why such rows cannot be sent; call where the catalog can be read. `identity`: unique
    /// to the database, for idempotency keys.
    Lane(std::shared_ptr<const Destination> destination, const LaneKey &key, OutcomeSink &sink,
         const std::string &identity);

    /// Makes a batch of the rows that come next. Rows that cannot be sent are rejected at once.
    std::vector<Batch> make_batches(KeyQueue &rows, int lane, Clock::time_point now);
    void submit(std::vector<Batch> batches);

    Clock::time_point start_ready() { return delivery_->start_ready(); }
    bool take(const Finished &finished);
    std::deque<std::unique_ptr<Job>> withdraw();

    /// What is seen and counted of its rows.
    Activity &activity() { return activity_; }

    bool has_room() const { return dispatcher_->jobs() < policy_.max_in_flight; }
    std::size_t jobs() const { return dispatcher_->jobs(); }
    std::size_t jobs_in_flight() const { return dispatcher_->jobs_in_flight(); }
    /// A request that was cut short cannot simply be made again.
    bool needs_marks() const { return !operation_.spec().idempotent; }
    /// But the same request can.
    bool has_idempotency_key() const { return !operation_.spec().idempotency_header.empty(); }

  private:
    bool write(const QueuedRow &row, Batch &batch);

    std::shared_ptr<const Destination> destination_;
    CompiledOperation operation_;
    RowWriter writer_;
    OutcomeSink &sink_;
    std::shared_ptr<Authenticator> authenticator_;
    Policy policy_;
    Activity activity_;
    JsonRow values_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<Delivery> delivery_;
};

} // namespace reverse_etl
