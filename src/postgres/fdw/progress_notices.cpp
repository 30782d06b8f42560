#include "postgres/fdw/progress_notices.h"

#include "postgres/border/border.h"
#include "postgres/border/settings.h"

#include <algorithm>

namespace reverse_etl {

bool ProgressNotices::wait(int fd, long timeout_ms) {
    tell_if_due();
    if (settings::progress) {
        auto until_due = std::chrono::ceil<Milliseconds>(due_ - Clock::now()).count();
        long longest = std::max<long>(until_due, 0);
        timeout_ms = timeout_ms < 0 ? longest : std::min(timeout_ms, longest);
    }
    return waiter_.wait(fd, timeout_ms);
}

void ProgressNotices::tell_if_due() {
    if (!settings::progress || Clock::now() < due_)
        return;
    due_ = Clock::now() + interval;
    const RunningPush &push = activity_.state();
    unsigned long long seen = push.seen, accepted = push.accepted, rejected = push.rejected, in_flight = push.in_flight;
    double rate = Activity::rows_per_second(push);
    pg_call([&] {
        ereport(NOTICE, (errmsg("delivery to \"%s\": %llu rows seen, %llu accepted, %llu rejected, %llu in flight, "
                                "%.0f rows/s",
                                destination_, seen, accepted, rejected, in_flight, rate)));
    });
}

} // namespace reverse_etl
