#include "engine/manifest/encoding_reader.h"
#include "engine/text/json.h"
#include "engine/text/phone_number.h"
#include "engine/text/value_refused.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace reverse_etl;

namespace {

std::string done(const char *steps, std::string text) {
    const Json json = Json::parse(steps);
    read_steps(ManifestNode(json, "")).apply(text, 0);
    return text;
}

std::string refusal(const char *steps, const std::string &text) {
    try {
        return "taken: " + done(steps, text);
    } catch (const ValueRefused &refused) {
        return refused.what();
    }
}

std::string fault(const char *steps) {
    const Json json = Json::parse(steps);
    try {
        read_steps(ManifestNode(json, "/encode"));
        return "";
    } catch (const ManifestError &error) {
        return error.pointer + " " + error.what();
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(steps_are_done_in_their_order) {
    struct Case {
        const char *steps, *text, *result;
    };
    // Digests: FIPS 180 and RFC 1321 give those of "abc"; base64 and hex are those of RFC 4648.
    const Case cases[] = {
        {R"("trim")", " \t\n\v\f\ra b \r\n", "a b"},
        {R"("trim")", "  ", ""},
        {R"("lower")", "ADA ÄÉÑ ΣΊΣΥΦΟΣ ЯЖ İ ẞ 𐐀", "ada äéñ σίσυφοσ яж i ß 𐐨"},
        {R"("upper")", "ada äéñ ς я ÿ ß ı 𐐨", "ADA ÄÉÑ Σ Я Ÿ ß I 𐐀"},
        {R"("digits")", "+49 (0)151-12 ٣", "49015112"},
        {R"("sha256")", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {R"("sha1")", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {R"("md5")", "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {R"("md5")", "", "d41d8cd98f00b204e9800998ecf8427e"},
        {R"(["md5", "base64"])", "abc", "kAFQmDzST7DWlj99KOF/cg=="},
        {R"(["md5", "hex", "base64"])", "abc", "OTAwMTUwOTgzY2QyNGZiMGQ2OTYzZjdkMjhlMTdmNzI="},
        {R"(["trim", "lower", "sha256"])", " ABC ", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {R"(["lower", "trim", "md5"])", "\tABC", "900150983cd24fb0d6963f7d28e17f72"},
        {R"("base64")", "foobar", "Zm9vYmFy"},
        {R"("base64")", "foob", "Zm9vYg=="},
        {R"("hex")", "foo\xc3\xa9", "666f6fc3a9"},
        {R"(["trim", "json"])", " a\"b ", R"("a\"b")"},
        {R"("json")", R"({"a": 1})", R"({"a": 1})"},
        {R"({"date": "YYYYMMDD"})", "2026-01-31", "20260131"},
        {R"({"date": "DD.MM.YY HH:MI:SS,MS"})", "2026-01-31T12:34:56.789012+00:00", "31.01.26 12:34:56,789"},
        {R"({"date": "MM/DD/YYYY"})", "0987-12-01T00:00:00", "12/01/0987"},
        {R"("epoch_s")", "1969-12-31T23:59:59.999999+00:00", "-1"},
        {R"("epoch_ms")", "2026-01-31T12:34:56.789+00:00", "1769862896789"},
        {R"("epoch_s")", "1970-01-02", "86400"},
        {R"("epoch_s")", "2026-01-01T00:00:00.5+02:00", "1767218400"},
        {R"({"join": "; "})", R"(["a", null, 1.10, 12345678901234567890, true, "\u00e9"])",
         "a; 1.10; 12345678901234567890; true; é"},
        {R"({"join": ","})", "[]", ""},
        {R"({"split": ","})", "a,\"b\",", R"(["a","\"b\""])"},
        {R"({"split": ", "})", "", "[]"},
        {R"([{"split": ","}, {"each": ["trim", "upper"]}, {"join": "|"}])", "a, b", "A|B"},
        {R"([{"each": ["trim", "lower", "md5"]}])", R"([" ABC", null])",
         R"(["900150983cd24fb0d6963f7d28e17f72",null])"},
        {R"([{"each": "lower"}, "json", "base64"])", R"(["A"])", "WyJhIl0="},
        {R"("odata")", "O'Neil''s", "O''Neil''''s"},
        {R"("soql")", "O'Neil \\ \"x\"\n", R"(O\'Neil \\ \"x\"\n)"},
        // What is hashed already is left alone.
        {R"(["trim", {"unless": "[0-9a-f]{64}"}, "digits", "sha256"])",
         " ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    for (const Case &one : cases)
        BOOST_TEST(done(one.steps, one.text) == one.result,
                   one.steps << " of " << one.text << ": " << done(one.steps, one.text));
}

BOOST_AUTO_TEST_CASE(only_what_is_behind_the_beginning_is_changed) {
    std::string out = R"({"name":)";
    const Json json = "upper";
    const std::size_t begin = out.size();
    out += "ada";
    read_steps(ManifestNode(json, "")).apply(out, begin);
    BOOST_TEST(out == R"({"name":ADA)");
}

BOOST_AUTO_TEST_CASE(values_that_do_not_fit_are_refused) {
    BOOST_TEST(refusal(R"({"join": ","})", R"(["a,b"])") ==
               "array element contains \",\", which separates the elements of the list");
    for (const char *list : {"{}", "\"a\"", "[", "[1,", ""})
        BOOST_TEST(refusal(R"({"join": ","})", list) == "the value is no list", list);
    for (const char *list : {"[[1]]", R"([{"a": 1}])"})
        BOOST_TEST(refusal(R"({"each": "lower"})", list) == "an element of the list is no text and no number", list);
    for (const char *text : {"", "2026-02-30", "2026-13-01", "26-01-01", "2026-01-01T24:00:00",
                             "2026-01-01T00:00:00+02:60", "0044-03-15 BC"})
        BOOST_TEST(refusal(R"("epoch_s")", text).starts_with("the value is no date"),
                   text << ": " << refusal(R"("epoch_s")", text));
    for (const char *text :
         {"", "x", "12", "+0123456789", "0151 abc", "+49 151 1234567890123", "++49151123456", "49+151123456"})
        BOOST_TEST(refusal(R"({"e164": "DE"})", text) == "the value is no telephone number",
                   text << ": " << refusal(R"({"e164": "DE"})", text));
}

BOOST_AUTO_TEST_CASE(telephone_numbers_of_many_countries) {
    // Made by libphonenumber: its example of a mobile number, as written within the country, from abroad, and bare.
    std::ifstream file(PROJECT_DIR "/test/unit/phone_numbers.tsv");
    std::size_t read = 0;
    for (std::string country, text, number;
         std::getline(file, country, '\t') && std::getline(file, text, '\t') && std::getline(file, number); read++)
        BOOST_TEST(e164_number(text, *dialling_plan(country)).value_or("none") == number, country << " " << text);
    BOOST_TEST(read > 700u);
    BOOST_TEST(dialling_plan("RU") == nullptr);
    BOOST_TEST(dialling_plan("de") == nullptr);
    BOOST_TEST(e164_number("0044 20 7946 0958", *dialling_plan("DE")).value() == "+442079460958");
    BOOST_TEST(e164_number("011 44 20 7946 0958", *dialling_plan("US")).value() == "+442079460958");
}

BOOST_AUTO_TEST_CASE(steps_that_do_not_fit_each_other_are_refused) {
    const struct {
        const char *steps, *fault;
    } cases[] = {
        {R"("rot13")", "/encode is no encoding"},
        {R"([])", "/encode must not be empty"},
        {R"(["lower", "native"])", "/encode/1 is no encoding"},
        {R"([7])", "/encode/0 is no encoding"},
        {R"({"sha256": 1})", "/encode is no step"},
        {R"({"e164": "RU"})", "/encode/e164 must be a country"},
        {R"({"e164": "DE", "date": "YYYY"})", "/encode must have one member"},
        {R"([{"unless": "("}, "lower"])", "/encode/0/unless must be a pattern"},
        {R"(["lower", {"unless": "a"}])", "/encode/1 decides about the steps behind it"},
        {R"([{"unless": "a"}, {"split": ","}])", "/encode must give a text"},
        {R"({"date": "YYYY-Month"})", "/encode/date must be made of"},
        {R"({"date": "--"})", "/encode/date must be made of"},
        {R"({"join": ""})", "/encode/join must be what stands between"},
        {R"(["lower", {"join": ","}])", "/encode/1 is about a list"},
        {R"([{"split": ","}, "lower"])", "/encode/1 is about a text"},
        {R"({"each": [{"split": ","}]})", "/encode/each must make a text"},
        {R"({"each": "epoch_s"})", "/encode/each must make a text"},
        {R"({"each": {"join": ","}})", "/encode/each must make a text"},
    };
    for (const auto &one : cases)
        BOOST_TEST(fault(one.steps).starts_with(one.fault), one.steps << ": " << fault(one.steps));
}

BOOST_AUTO_TEST_CASE(an_option_says_it_in_words_or_as_json) {
    BOOST_TEST(encoding_of_option("semicolon_list").is(ValueForm::semicolon_list));
    std::string text = " ABC";
    encoding_of_option("trim,lower,md5").steps->apply(text, 0);
    BOOST_TEST(text == "900150983cd24fb0d6963f7d28e17f72");
    BOOST_TEST(encoding_of_option(R"([{"join": ","}])").separator() == ",");
    BOOST_TEST(encoding_of_option("semicolon_list").separator() == ";");
    for (const char *option : {"", "lower,", "lower, trim", "[1]", "[", "{}", "native,sha256"})
        BOOST_CHECK_THROW(encoding_of_option(option), ManifestError);
}
