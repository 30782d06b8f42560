#pragma once

#include <random>

namespace reverse_etl {

/// Chance, as the engine uses it. It comes from one place of the process, so that a simulation can put numbers there
/// that repeat.
struct Random {
    /// Numbers that nobody can foretell, as the system draws them.
    static inline unsigned (*source)() = [] { return std::random_device{}(); };
    static unsigned draw() { return source(); }

    /// Cheap numbers, for pauses.
    static std::mt19937_64 &jitter() {
        static std::mt19937_64 numbers(draw());
        return numbers;
    }
};

} // namespace reverse_etl
