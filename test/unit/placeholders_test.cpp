#include "engine/text/placeholders.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// The parts of a text, placeholders in <>.
std::string parts(std::string_view text) {
    std::string result;
    for (const TextPart &part : split_placeholders(text))
        result += (result.empty() ? "" : "|") + (part.is_placeholder ? "<" + part.text + ">" : part.text);
    return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_text_is_cut_at_its_placeholders) {
    BOOST_TEST(parts("/v1/{object}/{key}") == "/v1/|<object>|/|<key>");
    BOOST_TEST(parts("{a}{b}") == "<a>|<b>");
    BOOST_TEST(parts("{row.first_name2}") == "<row.first_name2>");
    BOOST_TEST(parts("plain") == "plain");
    BOOST_TEST(parts("") == "");
}

BOOST_AUTO_TEST_CASE(other_braces_are_text) {
    for (const char *text : {"{", "}", "{}", "{a", "{A}", "{1}", "{_a}", "{a b}", "{a-b}", "{\"a\":1}", "{ a}"})
        BOOST_TEST(parts(text) == text);
    BOOST_TEST(parts("{a{b}") == "{a|<b>");
}

BOOST_AUTO_TEST_CASE(a_brace_of_the_text_is_written_twice) {
    const std::pair<const char *, const char *> cases[] = {
        {"{{a}}", "{a}"},       {"{{", "{"},        {"}}", "}"},           {"{{{a}}}", "{|<a>|}"},
        {"{{{{a}}}}", "{{a}}"}, {"{a}}}", "<a>|}"}, {"{{{{{a}", "{{|<a>"}, {"{{ a: {{b}} }}", "{ a: {b} }"}};
    for (const auto &[text, expected] : cases) {
        BOOST_TEST(parts(text) == expected);
        BOOST_TEST(!has_lone_brace(text), text);
    }
    for (const char *text : {"{", "}", "{{{", "a}", "{ a }", "{\"a\": 1}", "{a}}", "{{a}", "{}"})
        BOOST_TEST(has_lone_brace(text), text);
    for (const char *text : {"", "{a}", "{{", "{a}{b}", "a"})
        BOOST_TEST(!has_lone_brace(text), text);
    for (const char *text : {"{a}", "{{a}}", "}{", "{row.x} {", "plain"}) {
        const std::string written = with_braces_twice(text);
        BOOST_TEST(substitute(written, [](const std::string &) { return std::optional<std::string>("x"); }) == text);
    }
    std::string joined;
    for (const TextPart &part : split_as_written("{{{a}}}b{"))
        joined += part.is_placeholder ? "{" + part.text + "}" : part.text;
    BOOST_TEST(joined == "{{{a}}}b{");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_one_placeholder) {
    BOOST_TEST(sole_placeholder("{key}").value() == "key");
    for (const char *text : {"", "key", " {key}", "{key} ", "{key}{key}", "{}", "{key"})
        BOOST_TEST(!sole_placeholder(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(what_has_no_value_stays) {
    const auto value = [](const std::string &name) {
        return name == "a" ? std::optional<std::string>("{b}") : std::nullopt;
    };
    BOOST_TEST(substitute("{a}/{b}/{}", value) == "{b}/{b}/{}");
}

BOOST_AUTO_TEST_CASE(a_long_text_takes_a_moment_at_most) {
    const std::string braces(100000, '{');
    BOOST_TEST(parts(braces) == braces.substr(0, 50000));
}
