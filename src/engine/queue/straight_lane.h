#pragma once

#include "engine/queue/delivery_lane.h"
#include "engine/requests/row_batch.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Whether every write of the route may be made twice, and leaves what one does.
bool is_repeatable(const Route &route);

/// Has rows by their numbers, as JSON objects, until they have their outcomes.
class JsonRows {
  public:
    struct Row {
        std::string_view row, key; ///< the key is "" where it stands in the row
    };
    virtual ~JsonRows() = default;
    virtual Row json_row(std::uint64_t number) const = 0;
};

/// Sends rows that are in no queue, and of which no two have the same key: the same line as that of a DeliveryLane, and
/// nothing beside it that waits or is tried again later.
class StraightLane : private RowSource {
  public:
    StraightLane(Route route, const Surroundings &around, const JsonRows &rows, OutcomeSink &sink,
                 std::unique_ptr<LaneObserver> observer);

    /// Puts the row into the request that is being filled. One that cannot be sent is rejected at once.
    void add(std::uint64_t number);
    /// Whether requests are full that may leave at once: not where rows are grouped, of which more may come.
    bool has_full() const { return !full_.empty() && route_.operation.grouping().empty(); }
    void submit_full();
    /// All that was added may leave.
    void submit();

    Clock::time_point start_ready() { return delivery_->start_ready(); }
    bool take(const Finished &finished) { return delivery_->take(finished); }
    std::deque<std::unique_ptr<Job>> withdraw() { return delivery_->withdraw(); }
    RowDelivery::Counts counts() const { return delivery_->counts(); }
    LaneObserver &observer() { return *observer_; }

  private:
    void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) override;

    const Route route_;
    const JsonRows &rows_;
    OutcomeSink &sink_;
    std::unique_ptr<LaneObserver> observer_;
    JsonRow values_;
    Dispatcher dispatcher_;
    std::unique_ptr<RowDelivery> delivery_;
    RowBatch filling_;
    std::vector<Batch> full_;
};

} // namespace reverse_etl
