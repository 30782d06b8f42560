#include "engine/manifest/key_form.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_SUITE(key_form)

BOOST_AUTO_TEST_CASE(exact_keys_stay_as_they_are) {
    for (const char *text : {"", "Ada@Example.com", " a ", "\xFF\xC3"})
        BOOST_TEST(in_form({}, text) == text);
}

BOOST_AUTO_TEST_CASE(blanks_around_a_key) {
    KeyForm trimmed{false, true};
    BOOST_TEST(in_form(trimmed, " \tA b\r\n") == "A b");
    BOOST_TEST(in_form(trimmed, " ") == "");
}

BOOST_AUTO_TEST_CASE(capital_letters) {
    KeyForm any_case{true, false};
    struct {
        const char *one, *other;
    } const spellings[] = {
        {"Ada@Example.COM", "ada@example.com"},
        {"MÜLLER", "müller"},
        {"ÀÖØÞ×", "àöøþ×"},
        {"ĀŁŸŹŽ", "āłÿźž"},
        {"ΆΈΊΌΎΏΑΣΩ", "άέίόύώασω"},
        {"ЀЏАЯ", "ѐџая"},
        {"ẠỸ", "ạỹ"},
        {"日本", "日本"},
        {"ß", "ß"},
    };
    for (const auto &spelling : spellings) {
        BOOST_TEST(in_form(any_case, spelling.one) == spelling.other);
        BOOST_TEST(in_form(any_case, spelling.other) == spelling.other);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_is_kept) {
    for (const char *text : {"\xC3", "\xC3(", "\xE1\xBB", "\xE1(\x80", "\xFF"})
        BOOST_TEST(in_form({true, false}, text) == text);
}

BOOST_AUTO_TEST_CASE(values_in_json) {
    auto form = [](KeyForm form, std::string_view json, std::string_view text) {
        std::string out;
        append_json_in_form(form, json, text, out);
        return out;
    };
    BOOST_TEST(form({true, true}, "\" A\"", " A") == "a");
    BOOST_TEST(form({}, "\"1.00\"", "1.00") == "1.00"); // a text
    for (const char *number : {"1", "1.0", "1.00"})
        BOOST_TEST(form({}, number, number) == "1");
    BOOST_TEST(form({}, "-0.0", "-0.0") == "0");
    BOOST_TEST(form({}, "100", "100") == "100");
    BOOST_TEST(form({}, "0.10", "0.10") == "0.1");
    BOOST_TEST(form({}, "1.0e5", "1.0e5") == "1.0e5");
    BOOST_TEST(form({}, "true", "true") == "true");
}

BOOST_AUTO_TEST_SUITE_END()
