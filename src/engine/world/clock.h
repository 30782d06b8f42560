#pragma once

#include <chrono>

namespace reverse_etl {

using Milliseconds = std::chrono::milliseconds;

/// The time that the engine goes by; it never jumps. Where it comes from is one place of the process, so that a
/// simulation can put a time of its own there.
struct Clock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr bool is_steady = true;

    static inline time_point (*source)() noexcept = &std::chrono::steady_clock::now;
    static time_point now() noexcept { return source(); }
};

/// The time of day, as the destination's dates have it. It may jump.
struct WallClock {
    using time_point = std::chrono::system_clock::time_point;

    static inline time_point (*source)() noexcept = &std::chrono::system_clock::now;
    static time_point now() noexcept { return source(); }
};

} // namespace reverse_etl
