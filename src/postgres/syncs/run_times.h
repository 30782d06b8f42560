#pragma once

#include "engine/world/clock.h"

#include <cstdint>

namespace reverse_etl {

/// Where the time of a run went, as reverse_etl.runs shows it.
struct RunTimes {
    Clock::duration reading{};   ///< the model and the state, in one pass
    Clock::duration comparing{}; ///< rows that differ: cast, checked and encoded, or queued
    Clock::duration waiting{};   ///< for limits, tokens and pauses, with nothing under way
    Clock::duration requests{};  ///< made, and waited for
    Clock::duration writing{};   ///< what became of them
};

/// Adds whole milliseconds of them to the run, and keeps the rest. `delivered`: also of those that only a run has that
/// sends its rows itself. In a transaction, with an open connection to SPI.
void add_times(std::int64_t run, RunTimes &times, bool delivered);

/// Adds the time that it lives.
class Timed {
  public:
    explicit Timed(Clock::duration &sum) : sum_(sum), began_(Clock::now()) {}
    ~Timed() { sum_ += Clock::now() - began_; }
    Timed(const Timed &) = delete;
    Timed &operator=(const Timed &) = delete;

  private:
    Clock::duration &sum_;
    Clock::time_point began_;
};

/// What `work` returns; the time that it takes is added.
template <class Work>
auto timed(Clock::duration &sum, Work &&work) {
    Timed time(sum);
    return work();
}

} // namespace reverse_etl
