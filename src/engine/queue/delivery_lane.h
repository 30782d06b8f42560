#pragma once

#include "engine/queue/bulk_job.h"
#include "engine/queue/key_queue.h"
#include "engine/requests/delivery.h"
#include "engine/requests/json_row.h"
#include "engine/requests/looked_up_delivery.h"
#include "engine/requests/reacting_delivery.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// What rows have in common that can share requests: the operation, whose
/// rights and credentials they leave with, and the columns, by name.
struct LaneKey {
    std::string operation;
    std::uint32_t role = 0;
    std::vector<std::string> names; ///< those of the row, then those of the key
    std::size_t of_row = 0;
    bool of_sync = false; ///< a NULL is to clear what the destination has, as in an UPDATE

    auto operator<=>(const LaneKey &) const = default;
};

/// How the rows of a lane are sent.
struct Route {
    std::shared_ptr<const Object> object; ///< what the operations were compiled from
    CompiledOperation operation;          ///< the first, or only one
    NullAs null_as;
    std::optional<AfterLookup>
        after; ///< where the first is a look-up of the rows' ids: what follows. For most, nothing
    std::shared_ptr<Authenticator> authenticator;
    Policy policy;
    std::set<std::string> numbers{}; ///< the columns, by name, whose values are never words
    Reactions reactions{};           ///< what the rules of the only one try
};

/// Calls `use` with the spec of all that may be asked of the destination for a row, but for what reads.
void for_each_write(const Route &route, const std::function<void(const OperationSpec &)> &use);

/// The line of a route's rows: looked up first, or with what its rules try, or neither. All must outlive it.
std::unique_ptr<RowDelivery> delivery_of_route(const Route &route, Dispatcher &dispatcher,
                                               const DeliveryContext &context, RowSource &rows, OutcomeSink &sink);

/// A rejected row that is queued again holds as a text what could not be sent. It still cannot: throws ValueRefused.
void check_numbers(const Route &route, const JsonRow &row);

/// What is seen and counted of a lane's rows.
class LaneObserver : public RequestObserver {
  public:
    /// The first of its requests, and the last, for a while.
    virtual void begin() = 0;
    virtual void end() = 0;
    virtual void seen(std::uint64_t rows) = 0;
    virtual void accepted() = 0;
    virtual void rejected() = 0;
};

/// Sends rows of the outbox that can share requests, by the same line as a
/// statement's rows. Rows that have to be looked up first are under way all the
/// while.
class DeliveryLane : private RowSource {
  public:
    DeliveryLane(Route route, const Surroundings &around, KeyQueue &rows, OutcomeSink &sink,
                 std::unique_ptr<LaneObserver> observer);

    /// Makes a batch of the rows that come next, or one of each group where they are grouped. Rows that cannot be sent
    /// are rejected at once. `probing`: whether the destination is only tried out.
    std::vector<Batch> make_batches(int lane, Clock::time_point now, bool probing);
    void submit(std::vector<Batch> batches, Clock::time_point now);

    /// Starts what may start now; answers when more may. What needs marks is held.
    Clock::time_point start_ready() { return delivery_->start_ready(); }
    /// Requests that have to be noted before they are made: then they are to be started, or withdrawn.
    std::vector<const StartableJob *> held() const { return delivery_->held(); }
    void start_held() { delivery_->start_held(); }
    bool take(const Finished &finished);
    std::deque<std::unique_ptr<Job>> withdraw();

    LaneObserver &observer() { return *observer_; }

    /// How its rows leave in jobs; nullptr if they do not.
    const JobSpec *job_spec() const { return route_.after ? nullptr : route_.operation.spec().job.get(); }
    bool has_only_job() const { return route_.operation.spec().has_only_job(); }
    /// The job that its rows are in; nullptr for none.
    BulkJob *job() { return job_.get(); }
    const BulkJob *job() const { return job_.get(); }
    void begin_job(const std::vector<std::uint64_t> &rows, std::int64_t number, JobSink &jobs);
    void take_up(JobRecord record, JobSink &jobs);
    /// Starts what of it may start now; answers when to come again.
    Clock::time_point advance_job(Clock::time_point now, bool may_read);

    bool has_room() const { return jobs() < route_.policy.max_in_flight; }
    /// What is noted before it is made is noted together, since each note is a commit: while the destination has enough
    /// to do, no more often than this. Until when new requests wait for others; a time that has passed if they do not.
    static constexpr Milliseconds between_notes{1};
    Clock::time_point waits_until() const {
        return 2 * jobs() > route_.policy.max_in_flight && has_room() ? next_note_ : Clock::time_point{};
    }
    std::size_t jobs() const { return delivery_->counts().jobs + (job_ != nullptr && job_->is_being_made() ? 1 : 0); }
    std::size_t jobs_in_flight() const { return delivery_->counts().in_flight; }
    /// A request that was cut short cannot simply be made again.
    bool needs_marks() const { return needs_marks_; }
    /// But the same request can.
    bool has_idempotency_key() const { return has_idempotency_key_; }

  private:
    void end_if_idle();
    std::vector<Batch> make_batch(int lane, Clock::time_point now, bool probing);
    std::vector<Batch> make_groups(int lane, Clock::time_point now, bool probing);
    std::size_t most_together(const QueuedRow &row, bool probing) const;
    bool write(const QueuedRow &row, Batch &batch);
    void note_size(const std::vector<Batch> &batches);
    void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) override;
    void read(const QueuedRow &row);

    const Route route_;
    RowWriter writer_;
    KeyQueue &rows_;
    OutcomeSink &sink_;
    std::unique_ptr<LaneObserver> observer_;
    JsonRow values_;
    std::vector<int> numbers_;                   ///< the columns whose values are never words
    std::size_t last_bytes_ = 0, last_rows_ = 0; ///< of the batch that was made last
    bool needs_marks_ = false, has_idempotency_key_ = true;
    Clock::time_point next_note_{};
    Dispatcher dispatcher_;
    std::unique_ptr<RowDelivery> delivery_;
    const Surroundings around_;
    std::unique_ptr<BulkJob> job_;
};

} // namespace reverse_etl
