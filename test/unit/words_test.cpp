#include "engine/requests/words.h"
#include "engine/text/base64.h"
#include "engine/text/json_text.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

std::string hidden(const std::vector<std::string> &secrets, const std::string &text) {
    Secrets all;
    for (const std::string &secret : secrets)
        all.add(secret);
    return all.hide(text);
}

std::string percent_encoded(const std::string &text) {
    std::string result;
    append_percent_encoded(result, text);
    return result;
}

std::string json_string(const std::string &text) {
    std::string result;
    append_json_string(result, text);
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(secrets)

BOOST_AUTO_TEST_CASE(in_whatever_spelling) {
    const std::string secret = "p\xc3\xa4t/&=\"\\\n+ 100% <secret>";
    const std::string twice = json_string(json_string(secret));
    const std::vector<std::string> spellings = {secret,
                                                percent_encoded(secret),
                                                json_string(secret),
                                                twice,
                                                "P\xc3\xa4T/&=\"\\\n+ 100% <SECRET>",
                                                "p%c3%a4t%2f%26%3d%22%5c%0a%2b+100%25+%3csecret%3e",
                                                "p\\u00e4t\\/&=\\\"\\\\\\n+ 100% \\u003csecret\\u003E",
                                                "p&#228;t/&amp;=&quot;\\\n+ 100% &lt;secret&#x3e;"};
    for (const std::string &spelling : spellings) {
        const std::string told = hidden({secret}, "you sent [" + spelling + "], no");
        BOOST_TEST(told.find("secret") == std::string::npos, told);
        BOOST_TEST(told.find("100") == std::string::npos, told);
        BOOST_TEST(told.starts_with("you sent ["), told);
        BOOST_TEST(told.ends_with("], no"), told);
    }
}

BOOST_AUTO_TEST_CASE(within_base64_at_any_place) {
    const std::string secret = "s3cr3t>>?of mine~~";
    for (std::size_t before = 0; before < 4; ++before) {
        std::string text = base64(std::string(before, 'u') + secret + ":x");
        for (const bool of_urls : {false, true}) {
            if (of_urls) {
                std::replace(text.begin(), text.end(), '+', '-');
                std::replace(text.begin(), text.end(), '/', '_');
            }
            const std::string told = hidden({secret}, "Basic " + text);
            BOOST_TEST(told.find("***") != std::string::npos, told);
            BOOST_TEST(told.size() < 6 + 3 + 16, told); // at most the neighbours' characters are left
        }
    }
}

BOOST_AUTO_TEST_CASE(short_ones_hide_no_words) {
    BOOST_TEST(hidden({"abc"}, "abc is wrong") == "abc is wrong");
    BOOST_TEST(hidden({""}, "nothing") == "nothing");
    BOOST_TEST(hidden({"test"}, "the latest test failed: test=1, TEST") == "the latest *** failed: ***=1, ***");
    BOOST_TEST(hidden({"longsecret"}, "xlongsecrety") == "x***y");
}

BOOST_AUTO_TEST_CASE(what_is_cut_at_the_end_is_hidden_as_well) {
    BOOST_TEST(hidden({"pat-na1-0123456789"}, "token pat-na1-01") == "token ***");
    BOOST_TEST(hidden({"pat-na1-0123456789"}, "token pat%2Dna1-01") == "token ***");
    BOOST_TEST(hidden({"pat-na1-0123456789"}, "a pat") == "a pat");
}

BOOST_AUTO_TEST_CASE(several_and_again) {
    BOOST_TEST(hidden({"first-secret", "second-secret"}, "first-secretsecond-secret first-secret") == "****** ***");
    BOOST_TEST(hidden({"secret-one", "secret-one-longer"}, "secret-one-longer") == "***");
}

BOOST_AUTO_TEST_CASE(of_passing_ones_the_latest_are_known) {
    Secrets all;
    for (int i = 0; i < 100; ++i)
        all.add_passing("token-number-" + std::to_string(1000 + i));
    BOOST_TEST(all.hide("token-number-1099 token-number-1096") == "*** ***");
    BOOST_TEST(all.hide("token-number-1095") == "token-number-1095");
}

BOOST_AUTO_TEST_CASE(hostile_texts_take_no_time) {
    const std::string secret(4000, '%');
    std::string text;
    for (int i = 0; i < 3000; ++i)
        text += "%25\\\\u0025&#37;";
    BOOST_TEST(hidden({secret}, text.substr(0, 32768)).size() > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(words)

BOOST_AUTO_TEST_CASE(can_be_seen_and_stored) {
    const Words words;
    const std::pair<std::string, std::string> cases[] = {
        {"plain", "plain"},
        {"gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80"},
        {std::string("a\0b", 3), "a\\u0000b"},
        {"a\x1b[31mred", "a\\u001b[31mred"},
        {" \r\n two\t\n lines \n", "two lines"},
        {"half \xc3", "half \\xc3"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, // half a surrogate pair
        {"\xc0\x80", "\\xc0\\x80"},          // an overlong NUL
        {"abc\xe2\x80\xae"
         "cba",
         "abc\\u202ecba"}, // turns what follows around
        {"\xc2\x85", "\\u0085"},
        {"\xf3\xa0\x81\x81", "\\U000e0041"}};
    for (const auto &[said, told] : cases)
        BOOST_TEST(words.of(said) == told);
}

BOOST_AUTO_TEST_CASE(are_bounded_and_cut_between_characters) {
    const Words words;
    std::string text;
    while (text.size() < 100000)
        text += "\xe2\x82\xac";
    BOOST_TEST(words.of(text).size() == 498u);
    BOOST_TEST(words.of(text, 10).size() == 9u);
}

BOOST_AUTO_TEST_CASE(what_the_store_lacks_becomes_an_escape) {
    const Words words([](const std::string &text) { return "<" + text + ">"; });
    BOOST_TEST(words.of("x") == "<x>");
}

BOOST_AUTO_TEST_CASE(a_secret_is_hidden_before_anything_is_cut) {
    Words words;
    words.secrets().add("pat-na1-0123456789");
    const std::string told = words.of(std::string(490, 'x') + " pat-na1-0123456789");
    BOOST_TEST(told.find("pat") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
