#include "engine/text/csv_records.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_CASE(lines_of_values_become_objects) {
    const std::pair<const char *, const char *> cases[] = {
        {"", "[]"},
        {"a,b\n", "[]"},
        {"a,b\n1,2\n", R"([{"a":"1","b":"2"}])"},
        {"a,b\r\n1,2\r\n3,\r\n", R"([{"a":"1","b":"2"},{"a":"3","b":""}])"},
        {"a\n1", R"([{"a":"1"}])"},
        {"\xEF\xBB\xBF"
         "a\n1\n",
         R"([{"a":"1"}])"},
        {"\"a,\"\"b\"\n\"one\ntwo, \"\"three\"\"\"\n", R"([{"a,\"b":"one\ntwo, \"three\""}])"},
        {"a,b\n\n1,2\n", R"([{"a":"1","b":"2"}])"},
        {"a\n\n", R"([{"a":""}])"},
        {"a\n\"\"\n", R"([{"a":""}])"},
    };
    for (const auto &[text, json] : cases)
        BOOST_TEST(json_of_csv(text) == json);
}

BOOST_AUTO_TEST_CASE(what_is_no_table_is_an_error) {
    for (const char *text : {"a,b\n1\n", "a\n1,2\n", "a\n\"1\n", "a\n\"1\"2\n", "a,b\n1,2,3"})
        BOOST_CHECK_THROW(json_of_csv(text), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(lines_of_json_become_an_array) {
    BOOST_TEST(json_of_lines("") == "[]");
    BOOST_TEST(json_of_lines("{\"a\":1}\n\r\n{\"a\":2}") == R"([{"a":1},{"a":2}])");
}
