#include "engine/limits/pace.h"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace reverse_etl;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

/// Rounds of answers, as many in each as are permitted. Answers how many are permitted then.
int run(Pace &pace, Clock::time_point &now, int rounds, milliseconds took, int most = 8) {
    for (int round = 0; round < rounds; ++round) {
        const Clock::time_point began = now;
        now += took;
        for (int i = pace.permitted(most); i > 0; --i)
            pace.answered(most, began, took, now);
    }
    return pace.permitted(most);
}

} // namespace

BOOST_AUTO_TEST_CASE(as_many_as_the_option_says_until_it_is_too_much) {
    Pace pace{};
    BOOST_TEST(pace.permitted(8) == 8);
    BOOST_TEST(pace.permitted(64) == 64);
}

BOOST_AUTO_TEST_CASE(half_as_many_when_declined) {
    Pace pace{};
    Clock::time_point now(hours(1));
    pace.declined(8, now, now + milliseconds(50));
    BOOST_TEST(pace.permitted(8) == 4);
    pace.declined(8, now + milliseconds(10), now + milliseconds(60));
    BOOST_TEST(pace.permitted(8) == 4, "those that were under way then say it once");
    for (int i = 0; i < 10; ++i) {
        now += milliseconds(100);
        pace.declined(8, now, now + milliseconds(50));
    }
    BOOST_TEST(pace.permitted(8) == 1, "one is always permitted");
}

BOOST_AUTO_TEST_CASE(one_more_for_each_round_of_good_answers) {
    Pace pace{};
    Clock::time_point now(hours(1));
    pace.declined(8, now, now);
    now += milliseconds(1);
    for (int expected : {4, 5, 6, 7})
        BOOST_TEST(std::abs(run(pace, now, 1, milliseconds(50)) - expected) <= 1);
    BOOST_TEST(run(pace, now, 3, milliseconds(50)) == 8);
}

BOOST_AUTO_TEST_CASE(times_of_a_few_milliseconds_mean_nothing) {
    Pace pace{};
    Clock::time_point now(hours(1));
    std::mt19937_64 random(1);
    for (int i = 0; i < 100000; ++i) {
        const milliseconds took(random() % 100 == 0 ? 200 : random() % 5);
        now += milliseconds(1);
        pace.answered(8, now - took, took, now);
        BOOST_TEST_REQUIRE(pace.permitted(8) == 8);
    }
}

BOOST_AUTO_TEST_CASE(a_slow_destination_is_no_overloaded_one) {
    Pace pace{};
    Clock::time_point now(hours(1));
    BOOST_TEST(run(pace, now, 100, milliseconds(5000)) == 8);
}

BOOST_AUTO_TEST_CASE(answers_that_become_slow) {
    Pace pace{};
    Clock::time_point now(hours(1));
    run(pace, now, 50, milliseconds(100));
    BOOST_TEST(run(pace, now, 3, milliseconds(2000)) < 8);
    BOOST_TEST(pace.permitted(8) >= 2, "a quarter is left");
    BOOST_TEST(run(pace, now, 100, milliseconds(2000)) == 8, "slow has become usual");
}

BOOST_AUTO_TEST_CASE(answers_that_become_slow_for_a_while) {
    Pace pace{};
    Clock::time_point now(hours(1));
    run(pace, now, 50, milliseconds(100));
    run(pace, now, 3, milliseconds(2000));
    BOOST_TEST(run(pace, now, 20, milliseconds(100)) == 8);
}
