#pragma once

#include "engine/queue/delivery_lane.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/statistics.h"

#include <atomic>
#include <cstdint>
#include <vector>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl {

/// One push that is running now, as reverse_etl.activity shows it.
struct RunningPush {
    int pid;
    Oid database, destination, role;
    OperationKind operation;
    TimestampTz started_at;
    std::uint64_t seen, accepted, rejected, in_flight; ///< rows
};

/// A push while it runs: what others see of it in reverse_etl.activity, and what is counted of it in
/// reverse_etl.stat_destinations. It is not seen if a thousand others run already. Nothing but the constructor can
/// raise, and only that needs a transaction.
class Activity : public LaneObserver {
  public:
    /// `role`: whose push it is. An invalid destination: it only shows what it would do, and is neither seen nor
    /// counted.
    Activity(Oid destination, OperationKind operation, Oid role);
    ~Activity() override;
    Activity(const Activity &) = delete;
    Activity &operator=(const Activity &) = delete;

    /// It runs from here on; nothing happens if it does already.
    void begin() override;
    /// It has come to its end; another may begin.
    void end() override;

    void seen(std::uint64_t rows) override;
    void accepted() override;
    void rejected() override;
    void sent(std::size_t rows, bool again) override;
    void answered(std::size_t rows, const Response &response, const Verdict &verdict) override;

    /// How far it is.
    const RunningPush &state() const { return state_; }
    /// Rows that have an outcome, per second since it began.
    static double rows_per_second(const RunningPush &push);

    /// Those of this database that the current role may see: its own, and all if it is a member of pg_read_all_stats.
    static std::vector<RunningPush> visible();

    struct Slot;
    static shared_memory::Part shared;

  private:
    RunningPush state_;
    Statistics statistics_;
    bool running_ = false;
    Slot *slot_ = nullptr; ///< nullptr while it runs: there was none left
};

} // namespace reverse_etl
