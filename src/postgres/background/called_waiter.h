#pragma once

#include "postgres/border/latch_waiter.h"

extern "C" {
#include "miscadmin.h"
#include "storage/latch.h"
}

namespace reverse_etl {

/// The waits of a process that others call by its latch.
class CalledWaiter : public LatchWaiter {
  public:
    CalledWaiter() : LatchWaiter(true) {}

    bool wait(int fd, long timeout_ms) override {
        bool called = LatchWaiter::wait(fd, timeout_ms);
        was_called = was_called || called;
        return called;
    }

    /// Whether somebody has called since, without a wait. Each call is told once: a latch that stays set would be one
    /// at every turn, for ever.
    static bool take_call() {
        bool called = MyLatch->is_set;
        if (called)
            ResetLatch(MyLatch);
        return called;
    }

    bool was_called = false; ///< while it waited
};

} // namespace reverse_etl
