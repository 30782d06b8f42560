#include "engine/text/latency_histogram.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

using namespace reverse_etl;
using latency_histogram::Duration;
using namespace std::chrono_literals;

namespace {

struct Histogram {
    std::array<std::uint64_t, latency_histogram::buckets> counts{};
    void add(Duration duration) { counts[latency_histogram::bucket_of(duration)]++; }
    double percentile(double share) const {
        return static_cast<double>(latency_histogram::percentile(counts, share).count());
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(nothing_was_counted) {
    BOOST_TEST(Histogram().percentile(0.99) == 0);
}

BOOST_AUTO_TEST_CASE(one_duration_is_every_percentile) {
    Histogram histogram;
    histogram.add(25ms);
    for (double share : {0.0, 0.5, 0.99, 1.0})
        BOOST_TEST(std::abs(histogram.percentile(share) - 25000) < 0.07 * 25000);
}

BOOST_AUTO_TEST_CASE(buckets_ascend_and_every_duration_has_one) {
    std::size_t last = 0;
    for (Duration duration = 0us; duration < 200s; duration += duration / 50 + 1us) {
        std::size_t bucket = latency_histogram::bucket_of(duration);
        BOOST_REQUIRE(bucket == last || bucket == last + 1);
        last = bucket;
    }
    BOOST_TEST(last == latency_histogram::buckets - 1);
    BOOST_TEST(latency_histogram::bucket_of(-1us) == 0u);
    BOOST_TEST(latency_histogram::bucket_of(Duration::max()) == last);
}

BOOST_AUTO_TEST_CASE(percentiles_are_near_the_exact_ones) {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> latency(std::log(40000), 1);
    Histogram histogram;
    std::vector<double> exact;
    for (int i = 0; i < 100000; i++) {
        Duration duration(static_cast<Duration::rep>(latency(random)));
        histogram.add(duration);
        exact.push_back(static_cast<double>(duration.count()));
    }
    std::sort(exact.begin(), exact.end());
    for (double share : {0.5, 0.95, 0.99}) {
        double right = exact[static_cast<std::size_t>(share * static_cast<double>(exact.size())) - 1];
        BOOST_TEST(std::abs(histogram.percentile(share) - right) < 0.07 * right);
    }
}

BOOST_AUTO_TEST_CASE(the_shares_are_of_requests) {
    Histogram histogram;
    for (int i = 0; i < 98; i++)
        histogram.add(10ms);
    histogram.add(1s);
    histogram.add(10s);
    BOOST_TEST(histogram.percentile(0.98) < 11000);
    BOOST_TEST(histogram.percentile(0.99) > 900000);
    BOOST_TEST(histogram.percentile(0.99) < 1100000);
    BOOST_TEST(histogram.percentile(1) > 9000000);
}
