#include "postgres/border/lock_patience.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace reverse_etl::lock_patience {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// For one lock, and with it for all.
constexpr Milliseconds most{500};
/// Postgres takes 0 for any time.
constexpr Milliseconds least{1};
/// So much of the time may be spent on waits.
constexpr double share = 0.05;

bool is_limited = false;
Milliseconds left = most, allotted{0};
Clock::time_point grown{};

void grow() {
    Clock::time_point now = Clock::now();
    left = std::min(most, left + share * Milliseconds(now - grown));
    grown = now;
}

} // namespace

void begin() {
    is_limited = true;
    grown = Clock::now();
    allot();
}

void allot() {
    if (!is_limited)
        return;
    grow();
    Milliseconds now = std::max(least, left);
    if (std::exchange(allotted, now) != now)
        pg_call([&] { limit_waits_for_locks(std::to_string(static_cast<long>(now.count())).c_str()); });
}

void ran_out() {
    if (is_limited)
        left = std::max(Milliseconds::zero(), left - allotted);
}

} // namespace reverse_etl::lock_patience
