#include "engine/text/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace reverse_etl::latency_histogram {

namespace {

/// The shortest duration of a bucket.
Duration beginning(std::size_t bucket) {
    std::size_t doubling = bucket >> step_bits, step = bucket & ((1u << step_bits) - 1);
    return Duration(((1ull << step_bits) + step) << (first_doubling + doubling - step_bits));
}

} // namespace

std::size_t bucket_of(Duration duration) {
    auto length = static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 1ll << first_doubling));
    unsigned doubling = std::bit_width(length) - 1;
    std::uint64_t step = (length >> (doubling - step_bits)) & ((1u << step_bits) - 1);
    return std::min<std::size_t>(((doubling - first_doubling) << step_bits) + step, buckets - 1);
}

Duration percentile(std::span<const std::uint64_t, buckets> counts, double share) {
    auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    if (total == 0)
        return Duration(0);
    auto wanted = std::max<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total))), 1);
    std::size_t bucket = 0;
    for (std::uint64_t seen = counts[0]; seen < wanted && bucket + 1 < buckets; seen += counts[bucket])
        bucket++;
    return (beginning(bucket) + beginning(bucket + 1)) / 2;
}

} // namespace reverse_etl::latency_histogram
