#include "engine/limits/rate_limiter.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Clock::time_point start = Clock::time_point(hours(1));

RateLimit requests(std::string_view name, int requests, Clock::duration window) {
    return {bucket_key(name), requests, window, 0};
}

RateLimit concurrent(std::string_view name, int requests) {
    return {bucket_key(name), 0, {}, requests};
}

/// Sends requests as fast as the limiter allows, or slower at random; returns when each went.
std::vector<Clock::time_point> send(RateLimiter &limiter, const std::vector<RateLimit> &limits, int requests,
                                    Clock::duration longest_pause) {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<Clock::rep> pause(0, longest_pause.count());
    std::vector<Clock::time_point> sent;
    Clock::time_point now = start;
    for (int i = 0; i < requests; ++i) {
        now += Clock::duration(pause(random));
        for (Permission permission; !(permission = limiter.acquire(limits, now)).given;)
            now = permission.again;
        sent.push_back(now);
    }
    return sent;
}

/// When a request may go.
Clock::time_point earliest(RateLimiter &limiter, const std::vector<RateLimit> &limits, Clock::time_point now) {
    Permission permission = limiter.acquire(limits, now);
    return permission.given ? now : permission.again;
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
    const auto sent = send(limiter, {requests("burst", 3, seconds(10))}, 9, {});
    for (int i = 0; i < 9; ++i)
        BOOST_TEST((sent[i] == start + seconds(10 * (i / 3))));
}

BOOST_AUTO_TEST_CASE(the_window_slides) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{requests("burst", 2, seconds(10))};
    BOOST_TEST(limiter.acquire(limits, start).given);
    BOOST_TEST(limiter.acquire(limits, start + seconds(9)).given);
    BOOST_TEST((earliest(limiter, limits, start + seconds(9)) == start + seconds(10)));
    BOOST_TEST(limiter.acquire(limits, start + seconds(10)).given);
    BOOST_TEST((earliest(limiter, limits, start + seconds(10)) == start + seconds(19)));
}

BOOST_AUTO_TEST_CASE(a_limit_is_never_passed) {
    for (const RateLimit &limit : {requests("a", 1, seconds(1)), requests("b", 100, seconds(10)),
                                   requests("c", 1000, seconds(10)), requests("d", 25000, hours(24))}) {
        for (const auto pause :
             {Clock::duration(0), limit.window / limit.requests, 3 * limit.window / limit.requests}) {
            RateLimiter limiter;
            const auto sent = send(limiter, {limit}, 3 * limit.requests + 10, pause);
            BOOST_TEST(most_in_a_window(sent, limit.window) <= limit.requests);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_large_limit_is_used_nearly_up) {
    RateLimiter limiter;
    const auto sent = send(limiter, {requests("daily", 250000, hours(24))}, 1000000, milliseconds(400));
    BOOST_TEST(most_in_a_window(sent, hours(24)) <= 250000);
    BOOST_TEST((sent[750000] - sent[0] < 3 * hours(24) + hours(1)));
}

BOOST_AUTO_TEST_CASE(all_limits_count) {
    RateLimiter limiter;
    const auto sent = send(limiter, {requests("burst", 2, seconds(1)), requests("daily", 3, hours(24))}, 4, {});
    BOOST_TEST((sent[2] == start + seconds(1)));
    BOOST_TEST((sent[3] == start + hours(24)));
}

BOOST_AUTO_TEST_CASE(buckets_do_not_know_each_other) {
    RateLimiter limiter;
    BOOST_TEST(limiter.acquire({requests("one", 1, seconds(10))}, start).given);
    BOOST_TEST(limiter.acquire({requests("two", 1, seconds(10))}, start).given);
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_called_one_after_the_other) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{requests("burst", 100, seconds(1))};
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(limiter.acquire(limits, start + milliseconds(10 * i)).given);
    std::vector<Clock::time_point> called;
    for (int i = 0; i < 50; ++i)
        called.push_back(earliest(limiter, limits, start + milliseconds(995)));
    BOOST_TEST((called[0] == start + seconds(1)));
    for (int i = 1; i < 50; ++i)
        BOOST_TEST((called[i] - called[i - 1] == milliseconds(5)));
}

BOOST_AUTO_TEST_CASE(nobody_is_called_long_after_a_place_is_free) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{requests("daily", 1, hours(24))};
    BOOST_TEST(limiter.acquire(limits, start).given);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST((earliest(limiter, limits, start + seconds(1)) <= start + hours(24) + seconds(1)));
}

BOOST_AUTO_TEST_CASE(quiet_is_kept) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{requests("burst", 100, seconds(10))};
    limiter.hold(limits, start + seconds(30), start);
    limiter.hold(limits, start + seconds(20), start);
    BOOST_TEST((earliest(limiter, limits, start) == start + seconds(30)));
    BOOST_TEST(limiter.acquire(limits, start + seconds(31)).given);
}

BOOST_AUTO_TEST_CASE(quiet_does_not_last_for_ever) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{requests("account", 0, {})};
    limiter.hold(limits, start + hours(1000), start);
    BOOST_TEST((earliest(limiter, limits, start) == start + longest_hold));
}

BOOST_AUTO_TEST_CASE(no_published_limit_is_no_limit) {
    RateLimiter limiter;
    BOOST_TEST((send(limiter, {requests("bucket", 0, {})}, 1000, {}).back() == start));
    BOOST_TEST((send(limiter, {}, 1000, {}).back() == start));
}

BOOST_AUTO_TEST_CASE(a_hold_outlives_the_forgetting_of_unused_buckets) {
    RateLimiter limiter;
    const std::vector<RateLimit> held{requests("held", 1, seconds(1))};
    limiter.hold(held, start + minutes(10), start);
    for (int i = 0; i < 10000; ++i)
        limiter.acquire({requests("channel " + std::to_string(i), 1, seconds(1))}, start + milliseconds(10 * i));
    BOOST_TEST((earliest(limiter, held, start + seconds(100)) == start + minutes(10)));
    BOOST_TEST((earliest(limiter, {requests("channel 9999", 1, seconds(1))}, start + milliseconds(99990)) ==
                start + milliseconds(100990)));
}

BOOST_AUTO_TEST_CASE(places_are_given_back) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{concurrent("open", 2)};
    Permission first = limiter.acquire(limits, start), second = limiter.acquire(limits, start);
    BOOST_TEST(second.given);
    Permission third = limiter.acquire(limits, start);
    BOOST_TEST(!third.given);
    BOOST_TEST(third.for_a_place);
    BOOST_TEST((third.again > start));
    first = {};
    BOOST_TEST(limiter.acquire(limits, start).given);
}

BOOST_AUTO_TEST_CASE(all_places_are_given_back_once) {
    RateLimiter limiter;
    const std::vector<RateLimit> limits{concurrent("open", 2)};
    Permission first = limiter.acquire(limits, start), second = limiter.acquire(limits, start);
    limiter.give_back_all(start);
    first = second = {};
    Permission third = limiter.acquire(limits, start), fourth = limiter.acquire(limits, start);
    BOOST_TEST(fourth.given);
    BOOST_TEST(!limiter.acquire(limits, start).given);
}

BOOST_AUTO_TEST_CASE(a_request_without_a_place_does_not_count) {
    RateLimiter limiter;
    const RateLimit open = concurrent("open", 1), burst = requests("burst", 2, seconds(10));
    Permission first = limiter.acquire({burst, open}, start);
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(!limiter.acquire({burst, open}, start).given);
    first = {};
    BOOST_TEST(limiter.acquire({burst, open}, start).given);
}
