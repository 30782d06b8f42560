#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

/// How long requests take, counted in buckets that grow with what they hold: from 128 microseconds to two minutes in
/// steps of an eighth, at most 12.5%, of the power of two below. What is shorter or longer is in the first or the last.
namespace reverse_etl::latency_histogram {

using Duration = std::chrono::microseconds;

constexpr unsigned step_bits = 3;      ///< eight steps until the duration has doubled
constexpr unsigned first_doubling = 7; ///< 2^7 us
constexpr unsigned doublings = 20;
constexpr std::size_t buckets = doublings << step_bits;

std::size_t bucket_of(Duration duration);

/// The duration that the share (0 to 1) of the counted ones did not pass: the middle of its bucket. Zero if nothing was
/// counted.
Duration percentile(std::span<const std::uint64_t, buckets> counts, double share);

} // namespace reverse_etl::latency_histogram
