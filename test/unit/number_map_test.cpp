#include "engine/queue/number_map.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <random>
#include <set>

using namespace reverse_etl;

BOOST_AUTO_TEST_CASE(what_was_put_in_is_found) {
    NumberMap<int> map;
    BOOST_TEST(map.find(0) == nullptr);
    BOOST_TEST(map.insert(0).second);
    *map.insert(0).first = 7;
    BOOST_TEST(!map.insert(0).second);
    BOOST_TEST(*map.find(0) == 7);
    BOOST_TEST(map.size() == 1u);
    BOOST_TEST(map.extract(0) == 7);
    BOOST_TEST(!map.contains(0));
    BOOST_TEST(map.size() == 0u);
}

/// Numbers as those of rows, by the thousand, and as hashes; beside a map that is known to work.
BOOST_AUTO_TEST_CASE(it_holds_what_another_map_holds) {
    std::mt19937_64 random(7);
    for (const std::uint64_t step : {1U, 1000U, 0x10000U}) {
        NumberMap<std::unique_ptr<std::uint64_t>> map;
        std::map<std::uint64_t, std::uint64_t> known;
        for (int i = 0; i < 100'000; i++) {
            const std::uint64_t number = random() % 5000 * step;
            const bool is_there = known.contains(number);
            BOOST_REQUIRE(map.contains(number) == is_there);
            if (is_there) {
                BOOST_REQUIRE(*map.extract(number) == known[number]);
                known.erase(number);
            } else {
                known[number] = random();
                *map.insert(number).first = std::make_unique<std::uint64_t>(known[number]);
            }
            BOOST_REQUIRE(map.size() == known.size());
        }
        for (const auto &[number, value] : known)
            BOOST_REQUIRE(**map.find(number) == value);
    }
}

BOOST_AUTO_TEST_CASE(it_can_be_cleared_and_filled_again) {
    NumberSet set;
    for (const std::uint64_t most : {100U, 100'000U, 10U}) {
        for (std::uint64_t number = 0; number < most; number++)
            set.insert(number);
        BOOST_TEST(set.size() == most);
        set.erase(most); // is not there
        set.erase(0);
        BOOST_TEST(!set.contains(0));
        BOOST_TEST(set.contains(most - 1));
        set.clear();
        BOOST_TEST(set.size() == 0u);
        BOOST_TEST(!set.contains(most - 1));
    }
}

/// Numbers side by side, which share entries, and far apart; beside a set that is known to work.
BOOST_AUTO_TEST_CASE(a_set_holds_what_another_set_holds) {
    std::mt19937_64 random(11);
    for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{63}, std::uint64_t{64}, ~std::uint64_t{0} / 400}) {
        NumberSet set;
        std::set<std::uint64_t> known;
        for (int i = 0; i < 10'000; i++) {
            const std::uint64_t number = random() % 300 * step;
            BOOST_REQUIRE(set.contains(number) == known.contains(number));
            if (random() % 2 == 0) {
                set.insert(number);
                known.insert(number);
            } else {
                set.erase(number);
                known.erase(number);
            }
            BOOST_REQUIRE(set.size() == known.size());
        }
    }
}
