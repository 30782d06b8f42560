#pragma once

#include "engine/world/clock.h"

#include <algorithm>

#include <cstdint>
#include <cstdio>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace reverse_etl::simulation {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// What the simulated code did that it must never do.
class Violation : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Time and chance of one run. While it lives, the engine takes both from it.
class World {
  public:
    /// `telling`: whether the story is kept.
    World(std::uint64_t seed, bool telling);
    ~World();
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    Clock::time_point now() const { return now_; }
    /// Since the run began.
    Clock::duration elapsed() const { return now_ - began(); }
    static Clock::time_point began() { return Clock::time_point(hours(1000)); }
    void move_to(Clock::time_point when);
    /// The clock on the wall is put forward or back.
    void shift_wall_clock(Clock::duration by);

    bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }
    /// From `least` to `most`.
    long between(long least, long most) { return std::uniform_int_distribution<long>(least, most)(random_); }
    Milliseconds between(Milliseconds least, Milliseconds most) {
        return Milliseconds(between(least.count(), most.count()));
    }

    /// A line of the story. It also goes into the digest, by which two runs are told to be the same.
    template <class... Values>
    void tell(const char *format, Values... values) {
        char line[512];
        const int length = std::snprintf(line, sizeof(line), format, values...);
        note({line, static_cast<std::size_t>(std::min<int>(length, sizeof(line) - 1))});
    }
    std::uint64_t digest() const { return digest_; }
    /// The last page of it.
    std::string story() const;

  private:
    void note(std::string_view line);

    Clock::time_point now_ = began();
    std::mt19937_64 random_;
    bool telling_;
    std::deque<std::string> story_;
    std::uint64_t digest_ = 14695981039346656037u;
};

} // namespace reverse_etl::simulation
