#include "postgres/border/latch_waiter.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"

namespace reverse_etl {

bool LatchWaiter::wait(int fd, long timeout_ms) {
    return pg_call([&] {
        if (set_ == nullptr || fd_ != fd) {
            if (set_ != nullptr)
                FreeWaitEventSet(set_);
            set_ = nullptr;
            WaitEventSet *set = compat::create_wait_event_set(TopMemoryContext, 3);
            AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
            // A server in single-user mode has no postmaster.
            if (IsUnderPostmaster)
                AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
            AddWaitEventToSet(set, WL_SOCKET_READABLE, fd, nullptr, nullptr);
            set_ = set;
            fd_ = fd;
        }
        CHECK_FOR_INTERRUPTS();
        WaitEvent event;
        int events = WaitEventSetWait(set_, timeout_ms, &event, 1, compat::wait_event());
        bool called = events > 0 && (event.events & WL_LATCH_SET) != 0;
        if (called)
            ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        return called && wanted_by_latch_;
    });
}

} // namespace reverse_etl
