#include "engine/limits/circuit.h"

#include "engine/limits/backoff.h"
#include "engine/world/random.h"

namespace reverse_etl {

namespace {

// A destination that is down is tried often enough that nobody has to tell that it is back, and one that refuses its
// credentials so seldom that nobody is locked out for it.
constexpr Milliseconds failing_base{2'000}, failing_cap{5 * 60'000};
constexpr Milliseconds paused_base{60'000}, paused_cap{60 * 60'000};

bool waits_for_someone(Fault fault) {
    return fault != Fault::unreachable && fault != Fault::unintelligible;
}

} // namespace

bool Circuit::may_send(Clock::time_point now, std::size_t in_flight) const {
    return state_ == State::closed || (now >= retry_at_ && in_flight == 0);
}

void Circuit::succeeded() {
    state_ = State::closed;
    failures_ = 0;
    reason_.clear();
}

void Circuit::failed(Fault fault, const std::string &reason, Clock::time_point now) {
    // What was under way when it opened says nothing new, and makes no pause shorter; unless it says that someone has
    // to come.
    bool is_open = state_ != State::closed && now < retry_at_;
    if (is_open && (state_ == State::paused || !waits_for_someone(fault)))
        return;
    if (!is_open)
        failures_++;
    state_ = waits_for_someone(fault) ? State::paused : State::failing;
    reason_ = reason;
    bool paused = state_ == State::paused;
    // Half of it for sure: full jitter alone could mean at once.
    Milliseconds longest = paused ? paused_cap : failing_cap;
    Milliseconds pause = std::min(longest, (paused ? paused_base : failing_base) * (1 << std::min(failures_ - 1, 12)));
    retry_at_ = now + pause / 2 + backoff(1, pause / 2, pause / 2, Random::jitter());
}

} // namespace reverse_etl
