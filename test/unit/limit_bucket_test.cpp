#include "engine/limits/limit_bucket.h"

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Clock::time_point start = Clock::time_point(hours(1));
const RateLimit hundred{bucket_key("hundred"), 100, seconds(10), 0};
const RateLimit two_at_once{bucket_key("two at once"), 0, {}, 2};

/// A bucket that counted so many requests.
LimitBucket bucket_of(const RateLimit &limit, int requests) {
    LimitBucket bucket{};
    bucket.begin(limit.bucket);
    for (int i = 0; i < requests; ++i)
        bucket.take(limit, 1, start);
    return bucket;
}

Announcement announcement(std::optional<int> limit, std::optional<int> remaining,
                          std::optional<Milliseconds> reset = {}) {
    return {limit, std::nullopt, remaining, reset};
}

} // namespace

BOOST_AUTO_TEST_CASE(names_have_keys_of_their_own) {
    BOOST_TEST((bucket_key("a") == bucket_key("a")));
    BOOST_TEST((bucket_key("a") != bucket_key("b")));
    BOOST_TEST((bucket_key("") != BucketKey{}));
}

BOOST_AUTO_TEST_CASE(zeros_are_an_unused_bucket) {
    LimitBucket bucket{};
    BOOST_TEST(bucket.unused(start));
    bucket.take(hundred, 1, start);
    BOOST_TEST(!bucket.unused(start + seconds(10)));
    BOOST_TEST(bucket.unused(start + seconds(11)));
}

BOOST_AUTO_TEST_CASE(an_announced_limit_takes_the_place_of_the_published) {
    LimitBucket bucket = bucket_of(hundred, 100);
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(10)));
    bucket.learn(hundred, announcement(190, std::nullopt), start);
    BOOST_TEST((bucket.free_at(hundred, start) == start));
    bucket.learn(hundred, announcement(50, std::nullopt), start);
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(10)));
    bucket.learn(hundred, announcement(0, std::nullopt), start);
    bucket.learn(hundred, announcement(-1, std::nullopt), start);
    BOOST_TEST((bucket.free_at(hundred, start + seconds(10)) == start + seconds(10)));
}

BOOST_AUTO_TEST_CASE(others_use_the_account_too) {
    LimitBucket bucket = bucket_of(hundred, 10);
    bucket.learn(hundred, announcement(100, 30, milliseconds(4000)), start);
    for (int i = 0; i < 30; ++i) {
        BOOST_TEST((bucket.free_at(hundred, start) == start));
        bucket.take(hundred, 1, start);
    }
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(4)), "the others' are forgotten at the reset");
    BOOST_TEST((bucket.free_at(hundred, start + seconds(4)) == start + seconds(4)));
}

BOOST_AUTO_TEST_CASE(what_is_our_own_counts_once) {
    LimitBucket bucket = bucket_of(hundred, 40);
    bucket.learn(hundred, announcement(100, 60), start);
    for (int i = 0; i < 60; ++i)
        bucket.take(hundred, 1, start);
    BOOST_TEST((bucket.free_at(hundred, start + seconds(10)) == start + seconds(10)));
    bucket.learn(hundred, announcement(100, 0, milliseconds(60000)), start);
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(10)), "ours leave the window: no hold");
}

BOOST_AUTO_TEST_CASE(nothing_remains_until_the_reset) {
    LimitBucket bucket = bucket_of(hundred, 1);
    bucket.learn(hundred, announcement(100, 0, milliseconds(3000)), start);
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(3)));
    BOOST_TEST((bucket.free_at(hundred, start + seconds(3)) == start + seconds(3)));
}

BOOST_AUTO_TEST_CASE(nothing_remains_and_nobody_says_until_when) {
    LimitBucket bucket = bucket_of(hundred, 1);
    bucket.learn(hundred, announcement({}, 0), start);
    BOOST_TEST((bucket.free_at(hundred, start) == start + seconds(10)), "until the end of the window");
    const RateLimit daily{bucket_key("daily"), 1000, hours(24), 0};
    LimitBucket of_a_day = bucket_of(daily, 1);
    of_a_day.learn(daily, announcement({}, 0), start);
    BOOST_TEST((of_a_day.free_at(daily, start) == start + longest_hold), "or until one goes and asks again");
}

BOOST_AUTO_TEST_CASE(an_announced_limit_that_is_larger_is_used_up_too) {
    LimitBucket bucket = bucket_of(hundred, 0);
    bucket.learn(hundred, announcement(1000, std::nullopt), start);
    Clock::time_point now = start;
    for (int i = 0; i < 10000; ++i) {
        now = std::max(now + milliseconds(9), bucket.free_at(hundred, now + milliseconds(9)));
        bucket.take(hundred, 1, now);
    }
    BOOST_TEST((now < start + seconds(101)));
}

BOOST_AUTO_TEST_CASE(the_line_for_a_place) {
    LimitBucket bucket = bucket_of(two_at_once, 2);
    BOOST_TEST(!bucket.has_place(two_at_once, 7, start));
    BOOST_TEST(!bucket.has_place(two_at_once, 8, start));
    const auto called = bucket.give_back(1);
    BOOST_TEST(called.size() == 1u);
    BOOST_TEST(called[0] == 7);
    BOOST_TEST(!bucket.has_place(two_at_once, 1, start), "who had a place stands behind those who wait");
    BOOST_TEST(!bucket.has_place(two_at_once, 8, start));
    BOOST_TEST(bucket.has_place(two_at_once, 7, start));
    bucket.take(two_at_once, 7, start);
    BOOST_TEST(bucket.give_back(1)[0] == 8);
}

BOOST_AUTO_TEST_CASE(who_left_the_line_is_not_waited_for) {
    LimitBucket bucket = bucket_of(two_at_once, 2);
    BOOST_TEST(!bucket.has_place(two_at_once, 7, start));
    bucket.give_back(1);
    BOOST_TEST(!bucket.has_place(two_at_once, 1, start + milliseconds(200)));
    BOOST_TEST(bucket.has_place(two_at_once, 1, start + milliseconds(300)));
}

BOOST_AUTO_TEST_CASE(a_long_line_has_an_end) {
    LimitBucket bucket = bucket_of(two_at_once, 2);
    for (int process = 2; process < 1000; ++process)
        BOOST_TEST(!bucket.has_place(two_at_once, process, start));
    BOOST_TEST(bucket.give_back(2).size() == 2u);
    BOOST_TEST(!bucket.has_place(two_at_once, 999, start));
    BOOST_TEST(bucket.has_place(two_at_once, 2, start));
}

BOOST_AUTO_TEST_CASE(requests_that_take_more_than_one) {
    LimitBucket bucket;
    bucket.begin(bucket_key("rows"));
    RateLimit rows{bucket_key("rows"), 100, seconds(10), 0, 60};
    const Clock::time_point start{hours(1)};
    BOOST_TEST((bucket.free_at(rows, start) == start));
    bucket.take(rows, 1, start);
    BOOST_TEST((bucket.free_at(rows, start) == start + seconds(10))); // 120 would be too many
    rows.cost = 40;
    BOOST_TEST((bucket.free_at(rows, start) == start));
    bucket.take(rows, 1, start + seconds(1));
    rows.cost = 1;
    BOOST_TEST((bucket.free_at(rows, start + seconds(1)) == start + seconds(10)));
    rows.cost = 0;
    BOOST_TEST((bucket.free_at(rows, start + seconds(1)) == start + seconds(1)));
    // More than all of them: it goes when nothing else counts, and then is all of them.
    rows.cost = 1000;
    BOOST_TEST((bucket.free_at(rows, start + seconds(2)) == start + seconds(11)));
    bucket.take(rows, 1, start + seconds(11));
    rows.cost = 1;
    BOOST_TEST((bucket.free_at(rows, start + seconds(11)) == start + seconds(21)));
}

BOOST_AUTO_TEST_CASE(what_a_request_took_indeed) {
    LimitBucket bucket;
    bucket.begin(bucket_key("points"));
    RateLimit points{bucket_key("points"), 1000, seconds(10), 0, 100};
    const Clock::time_point start{hours(1)};
    bucket.take(points, 1, start);
    Announcement told{};
    told.cost = 950;
    bucket.learn(points, told, start);
    BOOST_TEST((bucket.free_at(points, start) == start + seconds(10)));
    bucket.take(points, 1, start + seconds(1));
    told.cost = 0;
    bucket.learn(points, told, start + seconds(1));
    points.cost = 50;
    BOOST_TEST((bucket.free_at(points, start + seconds(1)) == start + seconds(1)));
    // Whatever it says, and however often.
    for (const int cost : {std::numeric_limits<int>::max(), std::numeric_limits<int>::min()})
        for (int i = 0; i < 2000; i++) {
            told.cost = cost;
            bucket.learn(points, told, start + seconds(2));
        }
    points.cost = 1000;
    BOOST_TEST((bucket.free_at(points, start + seconds(2)) == start + seconds(2)));
}
