#pragma once

#include "engine/queue/straight_lane.h"
#include "postgres/syncs/run_times.h"
#include "postgres/syncs/straight_outcomes.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reverse_etl {

/// Runs a body in a transaction of its own, with an open connection to SPI; between two of them no snapshot is held.
using InTransaction = std::function<void(const std::function<void()> &)>;

/// The turn at a destination: while one lives, rows that are queued for it wait in the outbox.
class TurnAtDestination {
  public:
    /// None if another run has it. Call in a transaction.
    static std::unique_ptr<TurnAtDestination> take(Oid destination);
    ~TurnAtDestination();
    TurnAtDestination(const TurnAtDestination &) = delete;
    TurnAtDestination &operator=(const TurnAtDestination &) = delete;

  private:
    explicit TurnAtDestination(Oid destination) : destination_(destination) {}
    Oid destination_;
};

/// Whether all that a sync may ask of its destination may be made twice, and is none that takes a job: only such rows
/// leave straight from a run. False where it cannot be told, for want of credentials for instance. As the sync's owner
/// or as who sees all.
bool may_leave_straight(const SyncDefinition &sync, const SyncOperations &operations);

/// Sends the rows of a run straight from the process that found them, by the line that a statement's rows take. They
/// are sent in bursts. What became of one is written down in the transaction that notes the next; no transaction with a
/// snapshot is open while a network is waited for. What could not be sent, since its destination fails, is paused or
/// changed, goes into the outbox with all that is left.
class StraightRun : private OutcomeSink, private JsonRows {
  public:
    /// Without a turn at the destination all goes into the outbox. `look`: called about every half second while rows
    /// are under way; false if the rest is to go there.
    StraightRun(const SyncDefinition &sync, std::int64_t run, RowStore &store, bool has_turn,
                InTransaction in_transaction, std::function<bool()> look);

    /// Returns when every row has its outcome, or waits in the outbox.
    void deliver();

  private:
    enum class Course { goes_on, is_cancelled, goes_to_outbox, has_ended };

    void accepted(std::uint64_t row, const std::string &id) override;
    void rejected(std::uint64_t row, const std::string &reason, long status) override;
    void absent(std::uint64_t row) override;
    void failed(const Batch &batch, const DestinationError &error) override;
    Row json_row(std::uint64_t number) const override;

    void look_around();
    bool open_lanes();
    StraightLane &lane_of(std::size_t position) { return *lanes_[(*burst_)[position].way]; }
    std::size_t position_of(std::uint64_t number) const { return number - store_.first_of_burst(); }
    void begin_burst();
    void send_burst();
    void write_requests();
    void settle_and_look();
    void wait(Clock::time_point until);
    void take_finished(Clock::time_point until);
    std::size_t under_way() const;
    void withdraw();
    bool settle(bool ends);
    bool has_ended();
    void forget_older_failures() const;
    void end_cancelled();
    void queue_rest();

    const SyncDefinition &sync_;
    std::int64_t run_;
    RowStore &store_;
    InTransaction in_transaction_;
    std::function<bool()> look_;
    StraightOutcomes writer_;
    RunTimes times_;
    std::array<std::unique_ptr<StraightLane>, RowStore::ways_count> lanes_;
    Clock::time_point opened_{}, looked_{};
    Course course_ = Course::goes_on;
    bool is_begun_ = false;
    int max_attempts_ = 0; ///< of a row in the outbox

    const std::vector<StraightRow> *burst_ = nullptr;
    std::vector<StraightOutcome> outcomes_;
    std::vector<std::vector<RejectedRow>> rejected_; ///< by way
};

} // namespace reverse_etl
