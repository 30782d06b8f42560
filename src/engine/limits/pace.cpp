#include "engine/limits/pace.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Answers are slow if the last eight or so took twice the usual time and a quarter of a second more. The first keeps
/// a destination that always takes seconds from being taken for an overloaded one, the second one that takes
/// milliseconds: its times double by nothing but a scheduler's whim. What is usual follows in some sixty answers, so a
/// destination that became slower for good, or a load of larger batches, is slowed down only for a while.
constexpr double slow_factor = 2, slow_margin_ms = 250;
constexpr double recent_weight = 1.0 / 8, usual_weight = 1.0 / 64;

/// Latency alone never takes more than three quarters away: it may have reasons that are not ours.
constexpr double least_share_if_slow = 0.25;

/// The option's own bound (options.cpp), and so the most that is ever permitted.
constexpr double most_permitted = 64;

} // namespace

int Pace::permitted(int most) const {
    return permitted_ == 0 ? most : std::clamp(static_cast<int>(permitted_), 1, most);
}

void Pace::answered(int most, Clock::time_point began, std::optional<Clock::duration> took, Clock::time_point now) {
    if (took && slower_than_usual(*took)) {
        if (began > halved_)
            halve(most, std::max(1.0, least_share_if_slow * most), now);
        return;
    }
    if (permitted_ > 0)
        permitted_ = std::min(most_permitted, permitted_ + 1 / permitted_);
}

void Pace::declined(int most, Clock::time_point began, Clock::time_point now) {
    if (began > halved_)
        halve(most, 1, now);
}

bool Pace::slower_than_usual(Clock::duration took) {
    double ms = std::chrono::duration<double, std::milli>(took).count();
    if (usual_ms_ == 0)
        usual_ms_ = recent_ms_ = ms;
    recent_ms_ += recent_weight * (ms - recent_ms_);
    usual_ms_ += (ms < usual_ms_ ? recent_weight : usual_weight) * (ms - usual_ms_);
    return recent_ms_ > slow_factor * usual_ms_ + slow_margin_ms;
}

void Pace::halve(int most, double at_least, Clock::time_point now) {
    double current = permitted(most);
    permitted_ = std::max(std::min(at_least, current), current / 2);
    halved_ = now;
}

} // namespace reverse_etl
