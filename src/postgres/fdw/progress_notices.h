#pragma once

#include "engine/http/transport.h"
#include "postgres/shared/activity.h"

#include <string>

namespace reverse_etl {

/// While reverse_etl.progress is on, tells the user how far a long push is: one NOTICE every few seconds. It stands
/// between the push and its waiter, since that is where most of the time goes.
class ProgressNotices : public Waiter {
  public:
    ProgressNotices(Waiter &waiter, const Activity &activity, const std::string &destination)
        : waiter_(waiter), activity_(activity), destination_(destination) {}

    bool wait(int fd, long timeout_ms) override;

    /// Prints the line if it is time to. For who does not wait: a statement may be slow itself.
    void tell_if_due();

  private:
    Waiter &waiter_;
    const Activity &activity_;
    const std::string &destination_;
    Clock::time_point due_ = Clock::now() + interval;
    static constexpr std::chrono::seconds interval{5};
};

} // namespace reverse_etl
