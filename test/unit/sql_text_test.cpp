#include "engine/sources/sql_text.h"
#include "engine/text/errors.h"
#include "engine/text/one_query.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <utility>

using namespace reverse_etl;

namespace {

DialectSpec dialect() {
    DialectSpec dialect;
    dialect.folds_to_upper = true;
    dialect.relation = {"DB", "{statement.schema}", "{object}"};
    dialect.parameters = {{"text", {"TEXT", "{parameter}"}},
                          {"integer", {"FIXED", "{parameter}"}},
                          {"date", {"TEXT", "CAST({parameter} AS DATE)"}}};
    dialect.select = {{"jsonb", "TO_JSON({column})"}};
    dialect.like = "{column} LIKE {pattern}";
    dialect.exact = {{"text", "COLLATE({column}, '')"}};
    dialect.sum = {{"integer", "SUM({column})"}};
    return dialect;
}

std::string parameters_of(const SqlText &sql) {
    std::string all;
    for (const StatementParameter &one : sql.parameters)
        all += (all.empty() ? "" : " ") + one.type + ":" + one.value;
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(names_are_quoted_whatever_is_in_them) {
    BOOST_TEST(quoted(dialect(), "a\"b") == "\"a\"\"b\"");
    DialectSpec ticks = dialect();
    ticks.quote = "`";
    BOOST_TEST(quoted(ticks, "a\"b") == "`a\"b`");
    for (const char *name : {"", "a`b", "a\\b"})
        BOOST_CHECK_THROW(quoted(ticks, name), SettingError);
    BOOST_TEST(relation_name(dialect(), dialect().relation, "T\".x", "S") == "\"DB\".\"S\".\"T\"\".x\"");
}

BOOST_AUTO_TEST_CASE(names_that_nobody_quoted_fold) {
    BOOST_TEST(folded(dialect(), "first_name2") == "FIRST_NAME2");
    BOOST_TEST(folded(dialect(), "firstName") == "firstName");
    BOOST_TEST(folded(dialect(), "größe") == "größe");
    DialectSpec plain = dialect();
    plain.folds_to_upper = false;
    BOOST_TEST(folded(plain, "first_name") == "first_name");
}

BOOST_AUTO_TEST_CASE(values_go_beside_the_text) {
    SourceQuery query;
    query.relation = "\"T\"";
    query.columns = {{"A", "text"}, {"B", "jsonb"}};
    query.conditions = {{"A", "text", SqlComparison::equal, {"x' OR '1' = '1"}},
                        {"N", "integer", SqlComparison::greater_equal, {"5"}},
                        {"D", "date", SqlComparison::equal, {"2026-01-01", "2026-01-02"}},
                        {"A", "text", SqlComparison::is_not_null, {}},
                        {"F", "boolean", SqlComparison::is_false, {}}};
    query.limit = 7;
    const SqlText sql = select_text(dialect(), query);
    BOOST_TEST(sql.text ==
               "SELECT \"A\", TO_JSON(\"B\") FROM \"T\" WHERE \"A\" = ? AND \"N\" >= ? AND \"D\" IN (CAST(? "
               "AS DATE), CAST(? AS DATE)) AND \"A\" IS NOT NULL AND \"F\" = FALSE LIMIT 7");
    BOOST_TEST(parameters_of(sql) == "TEXT:x' OR '1' = '1 FIXED:5 TEXT:2026-01-01 TEXT:2026-01-02");
}

BOOST_AUTO_TEST_CASE(conditions_are_joined) {
    SqlCondition none{"N", "integer", SqlComparison::not_equal, {"1", "2"}};
    SqlCondition exact{"A", "text", SqlComparison::equal, {"x"}};
    exact.is_exact = true;
    SqlCondition both;
    both.join = SqlCondition::Join::all;
    both.parts = {none, exact};
    SqlCondition any;
    any.join = SqlCondition::Join::any;
    any.parts = {both, {"A{pattern}", "text", SqlComparison::like, {"a%"}}};
    SourceQuery query;
    query.relation = "t";
    query.conditions = {any};
    const SqlText sql = select_text(dialect(), query);
    BOOST_TEST(sql.text == "SELECT 1 FROM t WHERE ((\"N\" NOT IN (?, ?) AND COLLATE(\"A\", '') = ?) OR "
                           "\"A{pattern}\" LIKE ?)");
    BOOST_TEST(parameters_of(sql) == "FIXED:1 FIXED:2 TEXT:x TEXT:a%");
}

BOOST_AUTO_TEST_CASE(rows_are_grouped_and_in_order) {
    SourceQuery query;
    query.relation = "t";
    query.columns = {{"A", "text"},
                     {"", "", SqlFunction::count_rows},
                     {"B", "bytea", SqlFunction::count},
                     {"N", "integer", SqlFunction::minimum},
                     {"N", "integer", SqlFunction::maximum},
                     {"N", "integer", SqlFunction::sum}};
    query.groups = {{"A", "text"}, {"D", "date"}};
    BOOST_TEST(select_text(dialect(), query).text ==
               "SELECT COLLATE(\"A\", ''), count(*), count(\"B\"), min(\"N\"), max(\"N\"), SUM(\"N\") FROM t GROUP BY "
               "COLLATE(\"A\", ''), \"D\"");
    DialectSpec others = dialect();
    others.minimum = "minOrNull({column})";
    others.maximum = "maxOrNull({column})";
    query.columns = {{"{column}", "integer", SqlFunction::minimum}, {"N", "integer", SqlFunction::maximum}};
    query.groups.clear();
    BOOST_TEST(select_text(others, query).text == "SELECT minOrNull(\"{column}\"), maxOrNull(\"N\") FROM t");
    SourceQuery ordered;
    ordered.relation = "t";
    ordered.order = {{"N", true, true}, {"D"}};
    ordered.limit = 3;
    BOOST_TEST(select_text(dialect(), ordered).text ==
               "SELECT 1 FROM t ORDER BY \"N\" DESC NULLS FIRST, \"D\" NULLS LAST LIMIT 3");
}

BOOST_AUTO_TEST_CASE(only_what_gives_the_same_is_asked_for) {
    BOOST_TEST(can_group_by(dialect(), "text"));
    BOOST_TEST(can_group_by(dialect(), "numeric"));
    for (const char *type : {"timestamp", "timestamptz", "double precision", "jsonb", ""})
        BOOST_TEST(!can_group_by(dialect(), type), type);
    BOOST_TEST(can_say(dialect(), "integer", SqlFunction::sum));
    BOOST_TEST(!can_say(dialect(), "bigint", SqlFunction::sum));
    for (const char *type : {"text", "double precision", "boolean", "jsonb"})
        BOOST_TEST(!can_say(dialect(), type, SqlFunction::maximum), type);
    BOOST_TEST(can_say(dialect(), "timestamptz", SqlFunction::maximum));
    BOOST_TEST(can_say(dialect(), "double precision", SqlFunction::count));
    BOOST_TEST(!can_say(dialect(), "jsonb", SqlFunction::count));
    DialectSpec without = dialect();
    without.like = "";
    BOOST_TEST(can_say(dialect(), "text", SqlComparison::like));
    BOOST_TEST(!can_say(without, "text", SqlComparison::like));
}

BOOST_AUTO_TEST_CASE(a_pattern_matches_no_less_there) {
    for (const auto &[pattern, broader] :
         std::initializer_list<std::pair<const char *, const char *>>{{"", ""},
                                                                      {"a%b", "a%b"},
                                                                      {"a_b", "a%b"},
                                                                      {"__%a", "%a"},
                                                                      {"a\\_b", "a%b"},
                                                                      {"100\\%", "100%"},
                                                                      {"a\\\\b", "a%b"},
                                                                      {"\\x", "x"},
                                                                      {"x\\", "x%"},
                                                                      {"\xf0\x9f\x98\x80_", "\xf0\x9f\x98\x80%"}})
        BOOST_TEST(broader_pattern(pattern) == broader, pattern);
}

BOOST_AUTO_TEST_CASE(a_marker_may_count) {
    DialectSpec counting = dialect();
    counting.marker = "@p{number}";
    SourceQuery query;
    query.relation = "t";
    query.conditions = {{"A", "text", SqlComparison::equal, {"x", "y"}}};
    BOOST_TEST(select_text(counting, query).text == "SELECT 1 FROM t WHERE \"A\" IN (@p1, @p2)");
}

BOOST_AUTO_TEST_CASE(a_marker_may_name_the_type) {
    DialectSpec typed = dialect();
    typed.marker = "{{p{number}:{type}}}";
    typed.escape = {{'\\', "\\\\"}, {'\n', "\\n"}};
    SourceQuery query;
    query.relation = "t";
    query.conditions = {{"A", "text", SqlComparison::equal, {"x\\\n{y}"}}};
    const SqlText sql = select_text(typed, query);
    BOOST_TEST(sql.text == "SELECT 1 FROM t WHERE \"A\" = {p1:TEXT}");
    BOOST_TEST(parameters_of(sql) == "TEXT:x\\\\\\n{y}");
    BOOST_TEST(sent_text(typed, sql) == sql.text);
}

BOOST_AUTO_TEST_CASE(values_may_be_bound_by_a_statement_around_the_text) {
    DialectSpec bound = dialect();
    bound.value = "'{value}'";
    bound.escape = {{'\'', "''"}};
    bound.bound = "EXECUTE '{statement.sql}' USING {values}";
    SourceQuery query;
    query.relation = "\"it's {t}\"";
    query.conditions = {{"A", "text", SqlComparison::equal, {"x' OR '1' = '1", "{values}"}}};
    const SqlText sql = select_text(bound, query);
    BOOST_TEST(sql.text == "SELECT 1 FROM \"it's {t}\" WHERE \"A\" IN (?, ?)");
    BOOST_TEST(sent_text(bound, sql) == "EXECUTE 'SELECT 1 FROM \"it''s {t}\" WHERE \"A\" IN (?, ?)' USING "
                                        "'x'' OR ''1'' = ''1', '{values}'");
    query.conditions.clear();
    BOOST_TEST(sent_text(bound, select_text(bound, query)) == "SELECT 1 FROM \"it's {t}\"");
}

BOOST_AUTO_TEST_CASE(a_query_of_a_user_stays_one_statement) {
    SourceQuery query;
    query.query = one_query(" SELECT 1 -- so far\n ; \n");
    BOOST_TEST(select_text(dialect(), query).text == "SELECT 1 FROM (\n SELECT 1 -- so far\n) AS \"source\"");
    for (const char *several : {"SELECT 1; DROP TABLE t", "SELECT ';'", ";", "", " \n", "SELECT 1;;"})
        BOOST_CHECK_THROW(one_query(several), SettingError);
}

BOOST_AUTO_TEST_CASE(only_what_means_the_same_there_is_a_parameter) {
    for (const char *number : {"0", "-1", "12.5", "1234567890123456789012345678.123456789"})
        BOOST_TEST(can_be_parameter(dialect(), "numeric", number), number);
    for (const char *number :
         {"", "-", "NaN", "Infinity", "1e5", "12345678901234567890123456789", "0.1234567891", "1."})
        BOOST_TEST(can_be_parameter(dialect(), "numeric", number) == (std::string(number) == "1."), number);
    BOOST_TEST(can_be_parameter(dialect(), "date", "2026-11-27"));
    for (const char *date : {"", "infinity", "10000-01-01", "0001-12-31 BC", "0000-01-01"})
        BOOST_TEST(!can_be_parameter(dialect(), "date", date), date);
    BOOST_TEST(can_be_parameter(dialect(), "timestamptz", "2026-11-27 10:00:00.5+00"));
    BOOST_TEST(!can_be_parameter(dialect(), "timestamptz", "0001-11-27 10:00:00+00 BC"));
    BOOST_TEST(can_be_parameter(dialect(), "text", ""));
    BOOST_TEST(!can_be_parameter(dialect(), "text", "a\xef\xbf\xbd")); // may be U+0000 there
    DialectSpec narrow = dialect();
    narrow.parameters["numeric"] = {"FIXED", "{parameter}",
                                    std::make_shared<const TextPattern>(*TextPattern::parse("[0-9]+"))};
    BOOST_TEST(can_be_parameter(narrow, "numeric", "12"));
    BOOST_TEST(!can_be_parameter(narrow, "numeric", "1.5"));
}

BOOST_AUTO_TEST_CASE(the_catalog_is_asked_by_one_statement) {
    SourceCatalogSpec catalog;
    catalog.relation = {"DB", "INFORMATION_SCHEMA", "COLUMNS"};
    catalog.sql = "SELECT * FROM {catalog.relation} WHERE TABLE_SCHEMA = {catalog.schema}";
    const SqlText sql = catalog_text(dialect(), catalog, "it's");
    BOOST_TEST(sql.text == "SELECT * FROM \"DB\".\"INFORMATION_SCHEMA\".\"COLUMNS\" WHERE TABLE_SCHEMA = ?");
    BOOST_TEST(parameters_of(sql) == "TEXT:it's");
}
