#pragma once

#include "engine/queue/delivery_queue.h"
#include "pauses.h"
#include "scenario.h"
#include "vendor.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl::simulation {

/// What became of a row.
struct Outcome {
    enum class Kind { accepted, absent, rejected, replaced } kind;
    std::string reason;
    bool in_doubt = false;
    std::uint64_t by = 0; ///< the row that stands for it, where it was replaced
};

/// The rows of one destination as they are stored. What the queue tells waits for commit(), and is lost with a kill.
class DurableOutbox final : public DeliveryJournal {
  public:
    DurableOutbox(World &world, const VirtualVendor &vendor, Pauses &pauses)
        : world_(world), vendor_(vendor), pauses_(pauses) {}

    void enqueue(const Order &order);

    /// A new process has come: nothing but what was committed is left.
    void start_over();
    /// Hands the queue what it does not have, as far as there is room. Of a request that was made before all rows come
    /// together.
    void claim(DeliveryQueue &queue, std::size_t most_rows);
    void note(const std::vector<QueuedRow *> &rows);
    bool has_changes() const { return !ended_.empty() || !deferred_.empty() || !released_.empty(); }
    void commit();
    /// No row is noted as part of a request that is neither under way nor to be made again as it was.
    void check_notes(const std::set<std::uint64_t> &under_way) const;

    void row_accepted(const QueuedRow &row) override;
    void row_absent(const QueuedRow &row) override;
    void row_rejected(const QueuedRow &row, const Rejection &rejection) override;
    void row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &reason) override;
    std::int64_t next_request() override { return ++last_request_; }
    std::int64_t next_job() override { return ++last_request_; }
    void job_ended(std::int64_t) override {}
    void row_released(QueuedRow &row) override;

    /// The rows that wait, by id.
    const std::map<std::uint64_t, Outcome> &outcomes() const { return outcomes_; }
    /// What became of the row; where it was replaced, of the one that stands for it.
    const Outcome &last_outcome(std::uint64_t id) const;
    bool is_empty() const { return rows_.empty(); }
    struct Stored {
        const Order *order;
        int attempts = 0;
        Clock::time_point due{};
        std::int64_t request = 0;
    };
    const std::map<std::uint64_t, Stored> &rows() const { return rows_; }

  private:
    void hand_over(DeliveryQueue &queue, std::uint64_t id, const Stored &stored) const;
    void end(const QueuedRow &row, const Outcome &outcome);
    void check_stands_for(std::uint64_t row, std::uint64_t replaced) const;

    World &world_;
    const VirtualVendor &vendor_;
    Pauses &pauses_;
    std::map<std::uint64_t, Stored> rows_;
    std::map<std::uint64_t, Outcome> outcomes_;
    std::int64_t last_request_ = 0;
    std::set<std::uint64_t> noted_; ///< rows, by this process
    std::vector<std::pair<std::uint64_t, Outcome>> ended_;
    struct Deferred {
        std::uint64_t id;
        int attempts;
        Clock::time_point due;
    };
    std::vector<Deferred> deferred_;
    std::vector<std::pair<std::uint64_t, std::int64_t>> released_; ///< rows, of which request
};

} // namespace reverse_etl::simulation
