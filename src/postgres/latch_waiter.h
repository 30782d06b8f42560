#pragma once

#include "engine/waiter.h"
#include "postgres/postgres.h"

struct WaitEventSet;

namespace reverse_etl {

/// Waits as Postgres waits: for the destination, the latch and the postmaster, with interrupts served, so that a cancel
/// or a statement timeout ends the wait at once.
class LatchWaiter : public Waiter {
  public:
    void wait(int fd, long timeout_ms) override;

  private:
    WaitEventSet *set_ = nullptr;
    int fd_ = -1;
};

} // namespace reverse_etl
