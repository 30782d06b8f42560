#pragma once

#include "engine/http/waiter.h"
#include "postgres/border/postgres.h"

struct WaitEventSet;

namespace reverse_etl {

/// Waits as Postgres waits: for the destination, the latch and the postmaster, with interrupts served, so that a cancel
/// or a statement timeout ends the wait at once.
class LatchWaiter : public Waiter {
  public:
    /// `wanted_by_latch`: whether the latch is how others call this process, as they do a background worker.
    explicit LatchWaiter(bool wanted_by_latch = false) : wanted_by_latch_(wanted_by_latch) {}

    bool wait(int fd, long timeout_ms) override;

  private:
    bool wanted_by_latch_;
    WaitEventSet *set_ = nullptr;
    int fd_ = -1;
};

} // namespace reverse_etl
