#include "engine/text/json_text.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

using namespace reverse_etl;

namespace {

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    append_percent_encoded(out, text);
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(plain_text_is_quoted) {
    BOOST_TEST(json_string("") == R"("")");
    BOOST_TEST(json_string("ada") == R"("ada")");
    BOOST_TEST(json_string("ada@example.com, customer since 1843") == R"("ada@example.com, customer since 1843")");
}

BOOST_AUTO_TEST_CASE(text_is_appended) {
    std::string out = R"({"email":)";
    append_json_string(out, "ada@example.com");
    BOOST_TEST(out == R"({"email":"ada@example.com")");
}

BOOST_AUTO_TEST_CASE(special_characters_are_escaped) {
    BOOST_TEST(json_string("\"quoted\" and C:\\path") == R"("\"quoted\" and C:\\path")");
    BOOST_TEST(json_string("\b\f\n\r\t") == R"("\b\f\n\r\t")");
    BOOST_TEST(json_string(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
}

BOOST_AUTO_TEST_CASE(text_beyond_ascii_stays) {
    BOOST_TEST(json_string("Zoë Größe 北京 🚀") == "\"Zoë Größe 北京 🚀\"");
}

// Every byte at every place of words of eight and of what is left of them, judged by another JSON library.
BOOST_AUTO_TEST_CASE(every_byte_at_every_place) {
    for (std::size_t length = 1; length <= 26; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int byte = 0; byte < 128; ++byte) {
                std::string text(length, '~');
                text[place] = static_cast<char>(byte);
                BOOST_REQUIRE_EQUAL(json_string(text), nlohmann::json(text).dump());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(only_unreserved_characters_stay_in_a_url) {
    BOOST_TEST(percent_encoded("AZaz09-._~") == "AZaz09-._~");
    BOOST_TEST(percent_encoded("a b/c?d=e&f+g%") == "a%20b%2Fc%3Fd%3De%26f%2Bg%25");
    BOOST_TEST(percent_encoded("é") == "%C3%A9");
    BOOST_TEST(percent_encoded(std::string_view("a\r\nb\0", 5)) == "a%0D%0Ab%00");
}

BOOST_AUTO_TEST_CASE(nul_is_replaced_where_it_is_a_character) {
    BOOST_TEST(without_nul(R"({"a":"x\u0000y"})") == "{\"a\":\"x\xef\xbf\xbdy\"}");
    BOOST_TEST(without_nul(R"({"a":"x\\u0000y\n"})") == R"({"a":"x\\u0000y\n"})");
    BOOST_TEST(without_nul(R"("\\\u0000\")") == "\"\\\\\xef\xbf\xbd\\\"");
    BOOST_TEST(without_nul("") == "");
}
