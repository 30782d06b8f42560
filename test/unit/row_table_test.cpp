#include "engine/queue/row_table.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

using namespace reverse_etl;

/// Numbers side by side, by the thousand and far apart; beside a map that is known to work.
BOOST_AUTO_TEST_CASE(it_holds_what_another_map_holds) {
    std::mt19937_64 random(7);
    for (const std::uint64_t step :
         {std::uint64_t{1}, std::uint64_t{8}, std::uint64_t{1000}, ~std::uint64_t{0} / 4000}) {
        RowTable<std::uint64_t> table;
        std::map<std::uint64_t, std::uint64_t> known;
        for (int i = 0; i < 50'000; i++) {
            const std::uint64_t number = random() % 3000 * step;
            const bool is_there = known.contains(number);
            BOOST_REQUIRE(table.contains(number) == is_there);
            if (is_there) {
                BOOST_REQUIRE(*table.find(number) == known[number]);
                BOOST_REQUIRE(*table.extract(number) == known[number]);
                known.erase(number);
            } else {
                known[number] = random();
                table.insert(number, std::make_unique<std::uint64_t>(known[number]));
            }
            BOOST_REQUIRE(table.size() == known.size());
        }
        for (const auto &[number, value] : known)
            BOOST_REQUIRE(*table.find(number) == value);
    }
}

/// Rows stay where they are, whatever comes and goes beside them.
BOOST_AUTO_TEST_CASE(a_row_stays_in_its_place) {
    RowTable<int> table;
    table.insert(9, std::make_unique<int>(9));
    const int *const row = table.find(9);
    for (std::uint64_t number = 10; number < 5'000; number++)
        table.insert(number, std::make_unique<int>(0));
    for (std::uint64_t number = 10; number < 5'000; number++)
        table.extract(number);
    BOOST_TEST(table.find(9) == row);
    BOOST_TEST(table.find(10) == nullptr);
    BOOST_TEST(table.size() == 1u);
}
