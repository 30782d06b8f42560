#include "engine/requests/json_row.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

/// The row's values as JSON, and as text.
std::string as_json(const JsonRow &row) {
    std::string out;
    for (std::size_t i = 0; i < row.names().size(); i++) {
        out += row.names()[i] + "=";
        row.json(static_cast<int>(i), out);
        out += ";";
    }
    return out;
}

std::string text(const std::string &value) {
    JsonRow row;
    row.read("{\"value\":" + value + "}", "");
    std::string out;
    row.text(0, out);
    return out;
}

std::string json(const std::string &value) {
    JsonRow row;
    row.read("{\"value\":" + value + "}", "");
    std::string out;
    row.json(0, out);
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(row_and_key) {
    JsonRow row;
    row.read(R"({"name":"Ada","born":1815})", R"({"email":"ada@example.com"})");
    BOOST_TEST(as_json(row) == R"(name="Ada";born=1815;email="ada@example.com";)");
    BOOST_TEST(row.of_row() == 2u);
    row.read(R"({"name":"Bob"})", "");
    BOOST_TEST(as_json(row) == R"(name="Bob";)");
    BOOST_TEST(row.of_row() == 1u);
    row.read("{}", R"({"id":7})");
    BOOST_TEST(as_json(row) == "id=7;");
    BOOST_TEST(row.of_row() == 0u);
    row.read("{}", "");
    BOOST_TEST(row.names().empty());
}

BOOST_AUTO_TEST_CASE(values_go_byte_for_byte) {
    for (const char *value :
         {"3.14159265358979323846264338327950288419716939937510", "123456789012345678901234567890", "1.10", "-0",
          "-0.0", "1e400", "1E-7", "true", "false", "null", "\"\"", R"("a\"b\\c\/d\u00e9\ud83d\ude00\n")",
          R"({"a": [1, 2.50, {"b": "}]"}], "c":null})", "[]", "[ ]", R"(["a", 1.0])", "\"\u00e9\u4e16\""})
        BOOST_TEST(json(value) == value);
}

BOOST_AUTO_TEST_CASE(spaces_around_values_are_not_theirs) {
    JsonRow row;
    row.read("{ \"a\" : 1.50 ,\n\"b\": \"x y\" , \"c\" : true }", "");
    BOOST_TEST(as_json(row) == "a=1.50;b=\"x y\";c=true;");
}

BOOST_AUTO_TEST_CASE(texts) {
    BOOST_TEST(text(R"("plain")") == "plain");
    BOOST_TEST(text(R"("")") == "");
    BOOST_TEST(text(R"("tab\t quote\" slash\\ \u00e9 \ud83d\ude00")") == "tab\t quote\" slash\\ \u00e9 \U0001F600");
    BOOST_TEST(text("12.340") == "12.340");
    BOOST_TEST(text("true") == "true");
    BOOST_TEST(text(R"({"a": 1})") == R"({"a": 1})");
    BOOST_TEST(text(R"(["a\n"])") == R"(["a\n"])");
}

BOOST_AUTO_TEST_CASE(nulls) {
    JsonRow row;
    row.read(R"({"a":null,"b":"null","c":[null]})", R"({"d": null})");
    BOOST_TEST(row.is_null(0));
    BOOST_TEST(!row.is_null(1));
    BOOST_TEST(!row.is_null(2));
    BOOST_TEST(row.is_null(3));
}

BOOST_AUTO_TEST_CASE(names_are_unescaped) {
    JsonRow row;
    row.read(R"({"a\"b":1,"\u00e9":2,"":3})", "");
    BOOST_TEST((row.names() == std::vector<std::string>{"a\"b", "\u00e9", ""}));
}

BOOST_AUTO_TEST_CASE(many_rows_of_all_sizes) {
    JsonRow row;
    for (int size : {1, 10'000, 100, 100'000, 3, 63, 64, 65}) {
        std::string value(static_cast<std::size_t>(size), 'x');
        row.read("{\"value\":\"" + value + "\"}", "{\"key\":\"" + value + "\"}");
        for (int column : {0, 1}) {
            std::string out;
            row.text(column, out);
            BOOST_TEST(out == value);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_object) {
    JsonRow row;
    for (const char *bad : {"[1]", "1", "\"text\"", "null", "{", "{\"a\"", "{\"a\":}", "{\"a\":1", "{a:1}",
                            "{\"a\":1,}", "nonsense", " ", "{\"a\":[1,}", "{\"a\":\"x}"}) {
        BOOST_CHECK_THROW(row.read(bad, ""), std::runtime_error);
        BOOST_CHECK_THROW(row.read("{}", bad), std::runtime_error);
    }
    row.read(R"({"a":1})", "");
    BOOST_TEST(as_json(row) == "a=1;");
}

/// What is read by the form of the row before is read as it would be alone.
BOOST_AUTO_TEST_CASE(rows_alike_are_read_as_each_alone) {
    JsonRow row;
    for (const char *value :
         {"1", "-1.5e+30", "null", "true", "\"\"", R"("a\"b\\")", R"("\\\"")", R"({"a": [1, {"b": "}]\""}], "c":null})",
          "[ ]", R"(["\\", "]"])", "\"\u00e9\u4e16, \"", "7"}) {
        const std::string text = std::string("{\"a\":") + value + ",\"b\":" + value + "}";
        row.read(text, "");
        BOOST_TEST(as_json(row) == std::string("a=") + value + ";b=" + value + ";");
        JsonRow alone;
        alone.read(text, "");
        BOOST_TEST(as_json(alone) == as_json(row));
    }
    BOOST_TEST(row.is_like_before());
    row.read(R"({ "a" : 1 , "b":2})", ""); // written in another way
    BOOST_TEST(!row.is_like_before());
    BOOST_TEST(as_json(row) == "a=1;b=2;");
    row.read(R"({ "a" : "x" , "b":[2]})", "");
    BOOST_TEST(row.is_like_before());
    BOOST_TEST(as_json(row) == R"(a="x";b=[2];)");
    row.read(R"({"a":1,"c":2})", "");
    BOOST_TEST(!row.is_like_before());
    BOOST_TEST(as_json(row) == "a=1;c=2;");
    row.read(R"({"a":1,"c":2})", R"({"id":7})");
    BOOST_TEST(!row.is_like_before());
    BOOST_TEST(as_json(row) == "a=1;c=2;id=7;");
    row.read(R"({"a":1,"c":3,"d":4})", R"({"id":7})");
    BOOST_TEST(as_json(row) == "a=1;c=3;d=4;id=7;");
    BOOST_TEST(row.of_row() == 3u);
}

BOOST_AUTO_TEST_CASE(what_is_no_row_is_refused_also_after_one_that_is) {
    JsonRow row;
    for (const char *text : {R"({"a":1)", R"({"a":"x})", R"({"a":})", R"({"a":[1})", "{\"a\":\"\xff\"}"}) {
        row.read(R"({"a":1})", "");
        BOOST_CHECK_THROW(row.read(text, ""), std::runtime_error);
        // Nothing of it is taken for the form of the next.
        row.read(R"({"a":2})", "");
        BOOST_TEST(!row.is_like_before());
        BOOST_TEST(as_json(row) == "a=2;");
    }
    // Not of a row that was read with a key that is none either.
    BOOST_CHECK_THROW(row.read(R"({"a":1})", R"({"id":)"), std::runtime_error);
    row.read(R"({"a":1})", "");
    BOOST_TEST(as_json(row) == "a=1;");
}

/// Where values stand is told once; whoever has read texts with the same members takes them from there.
BOOST_AUTO_TEST_CASE(values_are_taken_from_where_they_stand) {
    const std::string first = R"({ "a": "x\"y" ,"b":[1, {"c":"]"}],"c":null})", first_key = R"({"id":"k-1"})";
    const std::string second = R"({ "a": "" ,"b":17.50,"c":{}})", second_key = R"({"id":  2})";
    JsonRow reader, other;
    other.read(first, first_key);
    for (const auto &[row, key] :
         {std::pair(first, first_key), std::pair(second, second_key), std::pair(first, first_key)}) {
        std::vector<ValuePlace> places = {{7, 9}};
        reader.read(row, key);
        reader.tell_places(places);
        BOOST_TEST(places.size() == 4u);
        other.read_at(row, key, places);
        BOOST_TEST(as_json(other) == as_json(reader));
        BOOST_TEST(other.is_null(2) == reader.is_null(2));
        BOOST_TEST((other.json(3).data() >= key.data() && other.json(3).data() < key.data() + key.size()));
    }
    // It reads on as if it had read them.
    other.read(R"({ "a": 1 ,"b":2,"c":3})", R"({"id":4})");
    BOOST_TEST(other.is_like_before());
    BOOST_TEST(as_json(other) == "a=1;b=2;c=3;id=4;");
}

BOOST_AUTO_TEST_CASE(members_are_known_after_a_row_and_not_after_what_is_none) {
    JsonRow row;
    BOOST_TEST(!row.knows_members());
    row.read(R"({"a":1})", "");
    BOOST_TEST(row.knows_members());
    BOOST_CHECK_THROW(row.read(R"({"a":})", ""), std::runtime_error);
    BOOST_TEST(!row.knows_members());
}
