#include "engine/rate_limiter.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Clock::time_point start = Clock::time_point(hours(1));

/// Sends requests as fast as the limiter allows, or slower at random; returns when each went.
std::vector<Clock::time_point> send(RateLimiter &limiter, const std::vector<RateLimit> &limits, int requests,
                                    Clock::duration longest_pause) {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<Clock::rep> pause(0, longest_pause.count());
    std::vector<Clock::time_point> sent;
    Clock::time_point now = start;
    for (int i = 0; i < requests; ++i) {
        now = limiter.earliest(limits, now + Clock::duration(pause(random)));
        limiter.note(limits, now);
        sent.push_back(now);
    }
    return sent;
}

/// The most requests that went in any window.
std::ptrdiff_t most_in_a_window(const std::vector<Clock::time_point> &sent, Clock::duration window) {
    std::ptrdiff_t most = 0;
    for (auto first = sent.begin(); first != sent.end(); ++first)
        most = std::max(most, std::lower_bound(first, sent.end(), *first + window) - first);
    return most;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_small_limit_is_kept_to_the_request) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{{"burst", 3, seconds(10)}};
    const auto sent = send(limiter, limits, 9, {});
    for (int i = 0; i < 9; ++i)
        BOOST_TEST((sent[i] == start + seconds(10 * (i / 3))));
}

BOOST_AUTO_TEST_CASE(the_window_slides) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{{"burst", 2, seconds(10)}};
    limiter.note(limits, start);
    limiter.note(limits, start + seconds(9));
    BOOST_TEST((limiter.earliest(limits, start + seconds(9)) == start + seconds(10)));
    limiter.note(limits, start + seconds(10));
    BOOST_TEST((limiter.earliest(limits, start + seconds(10)) == start + seconds(19)));
}

BOOST_AUTO_TEST_CASE(a_limit_is_never_passed) {
    for (const RateLimit &limit : {RateLimit{"a", 1, seconds(1)}, RateLimit{"b", 100, seconds(10)},
                                   RateLimit{"c", 1000, seconds(10)}, RateLimit{"d", 25000, hours(24)}}) {
        for (const auto pause : {Clock::duration(0), Clock::duration(limit.window) / limit.requests,
                                 3 * Clock::duration(limit.window) / limit.requests}) {
            RateLimiter limiter;
            const auto sent = send(limiter, {limit}, 3 * limit.requests + 10, pause);
            BOOST_TEST(most_in_a_window(sent, limit.window) <= limit.requests);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_large_limit_is_used_nearly_up) {
    RateLimiter limiter;
    const auto sent = send(limiter, {{"daily", 250000, hours(24)}}, 1000000, milliseconds(400));
    BOOST_TEST(most_in_a_window(sent, hours(24)) <= 250000);
    BOOST_TEST((sent[750000] - sent[0] < 3 * hours(24) + hours(1)));
}

BOOST_AUTO_TEST_CASE(all_limits_count) {
    RateLimiter limiter;
    const RateLimit burst{"burst", 2, seconds(1)}, daily{"daily", 3, hours(24)};
    const auto sent = send(limiter, {burst, daily}, 4, {});
    BOOST_TEST((sent[2] == start + seconds(1)));
    BOOST_TEST((sent[3] == start + hours(24)));
}

BOOST_AUTO_TEST_CASE(buckets_do_not_know_each_other) {
    RateLimiter limiter;
    limiter.note({{"one", 1, seconds(10)}}, start);
    BOOST_TEST((limiter.earliest({{"two", 1, seconds(10)}}, start) == start));
}

BOOST_AUTO_TEST_CASE(quiet_is_kept) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{{"burst", 100, seconds(10)}};
    limiter.hold("burst", start + seconds(30));
    limiter.hold("burst", start + seconds(20));
    BOOST_TEST((limiter.earliest(limits, start) == start + seconds(30)));
    BOOST_TEST((limiter.earliest(limits, start + seconds(31)) == start + seconds(31)));
}

BOOST_AUTO_TEST_CASE(no_published_limit_is_no_limit) {
    RateLimiter limiter;
    BOOST_TEST((send(limiter, {{"bucket", 0, seconds(1)}}, 1000, {}).back() == start));
    BOOST_TEST((send(limiter, {}, 1000, {}).back() == start));
}

BOOST_AUTO_TEST_CASE(a_hold_outlives_the_forgetting_of_unused_buckets) {
    RateLimiter limiter;
    limiter.hold("held", start + hours(1));
    for (int i = 0; i < 10000; ++i)
        limiter.note({{"channel " + std::to_string(i), 1, seconds(1)}}, start + milliseconds(10 * i));
    BOOST_TEST((limiter.earliest({{"held", 1, seconds(1)}}, start + seconds(100)) == start + hours(1)));
    BOOST_TEST((limiter.earliest({{"channel 9999", 1, seconds(1)}}, start + milliseconds(99990)) ==
                start + milliseconds(100990)));
}
