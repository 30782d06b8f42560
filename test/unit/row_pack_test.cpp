#include "engine/queue/row_pack.h"

#include <boost/test/unit_test.hpp>

#include <random>
#include <stdexcept>

using namespace reverse_etl;

namespace {

/// A row of two columns; the key is a copy of the first, has a value of its own, or is not there.
enum class Key { none, copied, own };

struct Row {
    std::string row, key;
    std::vector<ValuePlace> row_values, key_values;
    std::vector<std::size_t> key_columns;

    EncodedRow encoded() const { return {row, key, row_values, key_values, key_columns}; }
    std::vector<std::string> values() const {
        std::vector<std::string> values;
        for (const ValuePlace &place : row_values)
            values.push_back(row.substr(place.begin, place.end - place.begin));
        for (const ValuePlace &place : key_values)
            values.push_back(key.substr(place.begin, place.end - place.begin));
        return values;
    }
};

void add_value(std::string &text, std::vector<ValuePlace> &places, const std::string &value) {
    const auto begin = static_cast<std::uint32_t>(text.size());
    text += value;
    places.push_back({begin, static_cast<std::uint32_t>(text.size())});
}

Row make_row(const std::string &email, const std::string &n, Key key) {
    Row row;
    row.row = R"({"email":)";
    add_value(row.row, row.row_values, email);
    row.row += R"(,"n":)";
    add_value(row.row, row.row_values, n);
    row.row += '}';
    if (key == Key::none)
        return row;
    row.key = key == Key::own ? R"({"id":)" : R"({"email":)";
    add_value(row.key, row.key_values, key == Key::own ? "\"id " + n + "\"" : email);
    row.key += '}';
    if (key == Key::copied)
        row.key_columns = {0};
    return row;
}

Row make_row(int n, Key key) {
    return make_row("\"" + std::string(static_cast<std::size_t>(n % 200), 'x') + std::to_string(n) + "\"",
                    n % 3 == 0 ? "null" : std::to_string(n), key);
}

/// What a pack holds: distance, row and key of each, with the values where they are said to stand.
std::vector<std::string> read(std::string_view pack) {
    PackedRows rows;
    std::vector<std::string> read;
    Row row;
    rows.begin(pack);
    while (rows.next()) {
        std::vector<ValuePlace> places;
        rows.write(row.row, row.key, places);
        std::string values;
        for (std::size_t i = 0; i < places.size(); i++)
            values += " " + (i < 2 ? row.row : row.key).substr(places[i].begin, places[i].end - places[i].begin);
        read.push_back(std::to_string(rows.distance()) + row.row + row.key + values);
    }
    return read;
}

std::string described(std::uint64_t distance, const Row &row) {
    std::string values;
    for (const std::string &value : row.values())
        values += " " + value;
    return std::to_string(distance) + row.row + row.key + values;
}

} // namespace

BOOST_AUTO_TEST_CASE(rows_come_out_as_they_went_in) {
    for (const Key key : {Key::none, Key::copied, Key::own}) {
        RowPacker packer(100'000);
        // Twice: the second pack has the members as well.
        for (int time = 0; time < 2; time++) {
            std::vector<std::string> expected;
            for (int n = 0; n < 50; n++) {
                BOOST_TEST(packer.add(1000 + static_cast<std::uint64_t>(n) * 5, make_row(n, key).encoded()));
                expected.push_back(described(static_cast<std::uint64_t>(n) * 5, make_row(n, key)));
            }
            BOOST_TEST(packer.count() == 50U);
            BOOST_TEST(packer.number() == 1000U);
            BOOST_TEST(read(packer.finish()) == expected, boost::test_tools::per_element());
            BOOST_TEST(packer.count() == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_pack_is_full_by_bytes_by_rows_and_by_numbers) {
    const Row row = make_row(1, Key::copied);
    RowPacker by_bytes(500), by_rows(100'000), by_numbers(100'000), by_one_row(20);
    std::uint64_t n = 0;
    while (by_bytes.add(n, row.encoded()))
        n++;
    BOOST_TEST(by_bytes.count() == n);
    BOOST_TEST(n > 10U);
    BOOST_TEST(by_bytes.finish().size() <= 500U);
    BOOST_TEST(by_bytes.add(n, row.encoded()));

    for (n = 0; n < row_pack::most_rows; n++)
        BOOST_TEST_REQUIRE(by_rows.add(n, row.encoded()));
    BOOST_TEST(!by_rows.add(n, row.encoded()));
    BOOST_TEST(read(by_rows.finish()).size() == row_pack::most_rows);

    BOOST_TEST(by_numbers.add(7, row.encoded()));
    BOOST_TEST(!by_numbers.add(7 + row_pack::most_distance + 1, row.encoded()));
    BOOST_TEST(by_numbers.add(7 + row_pack::most_distance, row.encoded()));
    BOOST_TEST(read(by_numbers.finish()).back() == described(row_pack::most_distance, row));

    BOOST_TEST(!by_one_row.add(1, row.encoded()));
    BOOST_TEST(by_one_row.count() == 0U);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_pack_is_a_pack) {
    RowPacker packer(100'000);
    for (int n = 0; n < 100; n++)
        packer.add(static_cast<std::uint64_t>(n) * 2, make_row(n, Key::own).encoded());
    const std::string pack = packer.finish();
    std::string distances;
    std::vector<std::string> expected;
    for (const int n : {3, 4, 50, 99}) {
        distances += static_cast<char>(n * 2);
        expected.push_back(described(static_cast<std::uint64_t>(n - 3) * 2, make_row(n, Key::own)));
    }
    const std::string part = row_pack::part(pack, distances);
    BOOST_TEST(read(part) == expected, boost::test_tools::per_element());
    BOOST_TEST(row_pack::distances(part).size() == 4U);
    BOOST_TEST(read(row_pack::part(part, row_pack::distances(part).substr(1, 1))).front() ==
               described(0, make_row(4, Key::own)));
    BOOST_CHECK_THROW(row_pack::part(pack, "\x01"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_is_damaged_is_refused_or_read_within_its_bounds) {
    RowPacker packer(100'000);
    for (int n = 0; n < 20; n++)
        packer.add(static_cast<std::uint64_t>(n), make_row(n, Key::copied).encoded());
    const std::string pack = packer.finish();
    for (std::size_t size = 0; size < pack.size(); size++)
        BOOST_CHECK_THROW(read(std::string_view(pack).substr(0, size)), std::runtime_error);
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; i++) {
        std::string damaged = pack;
        for (unsigned changes = 1 + random() % 4; changes > 0; changes--)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        // A copy of its own size, so that a sanitizer sees what is read beside it.
        const std::vector<char> exact(damaged.begin(), damaged.end());
        try {
            read({exact.data(), exact.size()});
        } catch (const std::runtime_error &) {
        }
    }
}
