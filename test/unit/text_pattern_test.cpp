#include "engine/text/text_pattern.h"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace reverse_etl;

BOOST_AUTO_TEST_CASE(whole_texts_match) {
    const auto check = [](const char *pattern, std::initializer_list<std::string> right,
                          std::initializer_list<std::string> wrong) {
        const auto parsed = TextPattern::parse(pattern);
        BOOST_REQUIRE_MESSAGE(parsed, pattern);
        for (const std::string &text : right)
            BOOST_TEST(parsed->matches(text), pattern << " " << text);
        for (const std::string &text : wrong)
            BOOST_TEST(!parsed->matches(text), pattern << " " << text);
    };
    check("", {""}, {"a"});
    check("abc", {"abc"}, {"ab", "abcd", "xabc", ""});
    check("eu|us", {"eu", "us"}, {"e", "euus", ""});
    check("[a-c_-]+", {"a", "cab", "a-b_"}, {"", "d", "aD"});
    check("v[0-9]{2}", {"v12"}, {"v1", "v123"});
    check("a{2,3}b?", {"aa", "aaab"}, {"a", "aaaa", "aabb"});
    check("a{2,}", {"aa", "aaaaaa"}, {"a", ""});
    check("a*b*c", {"c", "aac", "abbc"}, {"ba", "ab"});
    check(".+", {"a/b", "\xc3\xa4"}, {"", "a\r\nb"});
    check("a\\.b\\|c", {"a.b|c"}, {"axb|c", "a.b"});
}

BOOST_AUTO_TEST_CASE(what_is_no_pattern) {
    for (const char *text : {"(a)", "a)",   "[",      "[]",    "[b-a]",  "[^a]",           "a**", "*",
                             "a{",  "a{x}", "a{3,2}", "a{-1}", "a{301}", "a{99999999999}", "^a$", "\\",
                             "\\d", "a\n",  "]",      "}",     "[a",     "[a{200}|a{200}"})
        BOOST_TEST(!TextPattern::parse(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(matching_takes_a_moment_at_most) {
    const auto pattern = TextPattern::parse("a*a*a*a*a*a*a*a*a*a*a*a*b");
    BOOST_TEST(!pattern->matches(std::string(100000, 'a')));
}
