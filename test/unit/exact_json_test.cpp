#include "engine/text/exact_json.h"

#include <boost/test/unit_test.hpp>
#include <simdjson.h>

using namespace reverse_etl;

BOOST_AUTO_TEST_CASE(what_a_parser_takes_stays) {
    for (const char *json : {"", "{}", R"({"a": [1, -2, true, false, null, "x\n\u00e9\ud83d\ude00\\"]})",
                             "123456789012345678", R"("grüß 😀")", "[1,", "nonsense", R"("open)"})
        BOOST_TEST(exact_json(json) == json);
}

BOOST_AUTO_TEST_CASE(each_value_on_its_own) {
    const std::pair<std::string, std::string> cases[] = {
        {"[1234567890123456789, 1]", R"(["\u00001234567890123456789", 1])"},
        {"-0.10", R"("\u0000-0.10")"},
        {"1E5", R"("\u00001E5")"},
        {"NaN", R"("NaN")"},
        {"-Infinity", R"("-Infinity")"},
        {"007", "007"}, // no number, and the parser may say so
        {"1.", "1."},
        {R"("1.5 NaN")", R"("1.5 NaN")"},
        {R"("\ud83d")", R"("\ufffd")"},
        {R"("\ude00\ud83d\u0041")", R"("\ufffd\ufffd\u0041")"},
        {R"("\q")", R"("\\q")"},
        {"\"\x01\"", R"("\u0001")"},
        {"\"\xff\"", R"("\ufffd")"},
        {"\"\xc3\"", R"("\ufffd")"},
        {"\xef\xbb\xbf{}", "{}"}};
    for (const auto &[json, exact] : cases)
        BOOST_TEST(exact_json(json) == exact);
}

BOOST_AUTO_TEST_CASE(only_marked_strings_are_numbers) {
    BOOST_TEST(exact_number(std::string_view("\0001.5", 4)) == "1.5");
    BOOST_TEST(exact_number("1.5") == "");
    BOOST_TEST(exact_number("") == "");
    BOOST_TEST(exact_number(std::string_view("\0evil", 5)) == "");
    BOOST_TEST(exact_number(std::string_view("\0", 1)) == "");
}
