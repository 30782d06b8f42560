#include "engine/sources/hash_text.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

DialectSpec dialect(std::size_t longest = 100'000) {
    DialectSpec dialect;
    dialect.parameters = {{"text", {"TEXT", "{parameter}"}}, {"integer", {"FIXED", "{parameter}"}}};
    dialect.select = {{"jsonb", "TO_JSON({column})"}};
    dialect.hash = RowHashSpec{"H({text})", "S({hash})", longest, {{"text", "{column}"}, {"integer", "T({column})"}}};
    return dialect;
}

SourceQuery table() {
    SourceQuery query;
    query.relation = "\"T\"";
    query.columns = {{"A", "text"}};
    query.limit = 5;
    return query;
}

HashedRows rows_of(const DialectSpec &dialect, const SourceQuery &query) {
    return {dialect, query, {{"A", "text"}}, {{"A", "text"}, {"N", "integer"}}, 7};
}

const std::string key = R"(H(COALESCE(REPLACE("A", '~', '~0') || '~1', '~2')))";
const std::string row =
    R"(H('7' || COALESCE(REPLACE("A", '~', '~0') || '~1', '~2') || COALESCE(REPLACE(T("N"), '~', '~0') || '~1', '~2')))";

} // namespace

BOOST_AUTO_TEST_CASE(sums_are_grouped_by_the_number_of_the_key) {
    const DialectSpec sql = dialect();
    BOOST_TEST(rows_of(sql, table()).buckets(50, false).text ==
               "SELECT MOD(" + key + ", 50), COUNT(*), S(" + row + ") FROM \"T\" GROUP BY MOD(" + key + ", 50)");
    BOOST_TEST(rows_of(sql, table()).buckets(50, true).text ==
               "SELECT MOD(" + key + ", 50), COUNT(*), S(" + key + ") FROM \"T\" GROUP BY MOD(" + key + ", 50)");
}

BOOST_AUTO_TEST_CASE(rows_come_with_their_numbers) {
    const DialectSpec sql = dialect();
    const HashedRows rows = rows_of(sql, table());
    BOOST_TEST(rows.rows({{"J", "jsonb"}}, 1, {}).at(0).text ==
               "SELECT TO_JSON(\"J\"), " + key + ", " + row + " FROM \"T\"");
    BOOST_TEST(rows.rows({{"A", "text"}}, 9, {1, 8}).at(0).text ==
               "SELECT \"A\", " + key + ", " + row + " FROM \"T\" WHERE MOD(" + key + ", 9) IN (1, 8)");
}

BOOST_AUTO_TEST_CASE(conditions_on_texts_are_about_bytes) {
    const DialectSpec sql = dialect();
    SourceQuery query = table();
    query.conditions = {{"A", "text", SqlComparison::equal, {"x"}}, {"N", "integer", SqlComparison::less, {"5"}}};
    const SqlText text = rows_of(sql, query).rows({{"A", "text"}}, 9, {1}).at(0);
    BOOST_TEST(text.text == "SELECT \"A\", " + key + ", " + row +
                                R"( FROM "T" WHERE "A" = ? AND H("A") IN (H(?)) AND "N" < ? AND MOD()" + key +
                                ", 9) IN (1)");
    BOOST_TEST(text.parameters.size() == 3U);
    BOOST_TEST(text.parameters.at(1).value == "x");
}

BOOST_AUTO_TEST_CASE(many_numbers_are_asked_for_by_several_statements) {
    const DialectSpec sql = dialect(10'000);
    const HashedRows rows = rows_of(sql, table());
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = 0; i < 2'000; i++)
        numbers.push_back(900'000 + i);
    const std::vector<SqlText> statements = rows.rows({{"A", "text"}}, 1'000'000, numbers);
    BOOST_TEST(statements.size() == rows.statements(1'000'000, numbers.size()));
    BOOST_TEST(statements.size() > 1U);
    std::size_t found = 0;
    for (const SqlText &one : statements) {
        BOOST_TEST(one.text.size() <= 10'000U);
        for (std::size_t at = one.text.find(" IN ("); (at = one.text.find("90", at)) != one.text.npos; at++)
            found++;
    }
    BOOST_TEST(found >= numbers.size());
}
