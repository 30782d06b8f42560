#include "engine/files/csv_record.h"
#include "engine/files/file_text.h"
#include "engine/files/path_pattern.h"
#include "engine/files/type_guess.h"
#include "engine/http/gzip.h"
#include "engine/text/xml_json.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>

namespace reverse_etl {

namespace {

/// Bytes that come in pieces of a size.
class PiecewiseBytes : public FileBytes {
  public:
    PiecewiseBytes(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}

    bool next(std::string &bytes) override {
        bytes = bytes_.substr(at_, piece_);
        at_ += bytes.size();
        return !bytes.empty();
    }

  private:
    const std::string bytes_;
    const std::size_t piece_;
    std::size_t at_ = 0;
};

/// The records of a CSV, with | between cells and a line each; NULL would be an unquoted empty cell, which is "-".
std::string records_of(const std::string &csv, std::size_t piece, char delimiter = ',') {
    FileText text(std::make_unique<PiecewiseBytes>(csv, piece), "a.csv");
    CsvRecord record;
    std::string all;
    const auto read = [&](std::string_view rest, bool is_end) {
        const std::size_t taken = record.read(rest, is_end, delimiter);
        for (std::size_t i = 0; taken > 0 && i < record.cells().size(); i++) {
            const CsvRecord::Cell &cell = record.cells()[i];
            all += (i == 0 ? "" : "|") + (cell.text.empty() && !cell.is_quoted ? "-" : std::string(cell.text));
        }
        all += taken > 0 ? "\n" : "";
        return taken;
    };
    while (text.next(read))
        ;
    return all;
}

std::string fault_of(const std::string &csv) {
    try {
        records_of(csv, 3);
    } catch (const DestinationError &error) {
        return error.what();
    }
    return "";
}

std::string values_of(const std::string &pattern, const std::string &name) {
    PathValues values;
    if (!PathPattern(pattern).matches(name, values))
        return "no";
    std::string all;
    for (const auto &value : values)
        all += (all.empty() ? "" : ",") + value.value_or("NULL");
    return all;
}

std::string type_of(std::initializer_list<const char *> cells) {
    TypeGuess guess;
    for (const char *cell : cells)
        guess.see_cell(cell);
    return guess.type();
}

} // namespace

BOOST_AUTO_TEST_CASE(records_of_csv_wherever_the_text_is_cut) {
    const std::string csv = "\xEF\xBB\xBF"
                            "a,\"b \"\"c\"\"\",\"\"\r\n\"two\nlines\r\n\",,\"\"\"\"\r\n\r\nlast,\"x\",é";
    for (const std::size_t piece : {1, 2, 3, 7, 1000})
        BOOST_TEST(records_of(csv, piece) == "a|b \"c\"|\ntwo\nlines\r\n|-|\"\n-\nlast|x|é\n");
    BOOST_TEST(records_of("a\rb\r", 1) == "a\nb\n");
    BOOST_TEST(records_of("1\t2,3\n", 2, '\t') == "1|2,3\n");
    BOOST_TEST(records_of("", 1) == "");
    BOOST_TEST(records_of("it's \"so\",1\n", 4) == "it's \"so\"|1\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_csv_is_told_with_its_line) {
    BOOST_TEST(fault_of("a\n\"b\nc\n") == "a.csv, line 2: a quote does not end");
    BOOST_TEST(fault_of("\"a\nb\"\n\"c\"d\n") == "a.csv, line 3: a value goes on behind its quotes");
    BOOST_TEST(fault_of("a\n\xE9\n") == "a.csv, line 2: it is not UTF-8");
    BOOST_TEST(fault_of(std::string("a\0b\n", 4)) == "a.csv, line 1: it holds a byte that is zero, so it is no text");
    BOOST_TEST(fault_of("x\n" + std::string(5 << 20, 'y')).starts_with("a.csv, line 2: it is longer than 2 MB"));
}

BOOST_AUTO_TEST_CASE(what_is_compressed_is_read_wherever_it_is_cut) {
    std::string large;
    for (int i = 0; i < 200'000; i++)
        large += std::to_string(i) + "\n";
    const std::string packed = gzip("first\n") + gzip(large) + std::string(100, '\0');
    for (const std::size_t piece : {1UL, 1000UL, packed.size()}) {
        PlainBytes bytes(std::make_unique<PiecewiseBytes>(packed, piece));
        std::string all;
        while (bytes.append(all))
            ;
        BOOST_TEST((all == "first\n" + large));
    }
    PlainBytes cut(std::make_unique<PiecewiseBytes>(packed.substr(0, packed.size() - 200), 1000));
    std::string all;
    BOOST_CHECK_THROW(while (cut.append(all));, FileFault);
}

BOOST_AUTO_TEST_CASE(names_of_files) {
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=2026-11-01/x.csv") == "2026-11-01");
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=a%2Fb%20c/x.csv") == "a/b c");
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=__HIVE_DEFAULT_PARTITION__/x.csv") == "NULL");
    BOOST_TEST(values_of("a/{dt}/*.csv", "a/a%20b/x.csv") == "a%20b");
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=x%00%FFy/x.csv") == "x\uFFFD\uFFFDy");
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=/x.csv") == "no");
    BOOST_TEST(values_of("a/dt={dt}/*.csv", "a/dt=1/b/x.csv") == "no");
    BOOST_TEST(values_of("{year}-{month}-{rest}.csv.gz", "2026-11-01-b.csv.gz") == "2026,11,01-b");
    BOOST_TEST(values_of("{a}.csv", ".csv") == "no");
    BOOST_TEST(values_of("*.csv", ".hidden.csv") == "no");
    BOOST_TEST(values_of("*.csv", "_hidden.csv") == "no");
    BOOST_TEST(values_of("a*.csv", "a.csv") == "");
    BOOST_TEST(values_of("a*a", "a") == "no");
    BOOST_TEST(values_of("a/**/{x}.csv", "a/1.csv") == "1");
    BOOST_TEST(values_of("a/**/{x}.csv", "a/b/c/d/1.csv") == "1");
    BOOST_TEST(values_of("a/**/b/{x}.csv", "a/b/b/b/1.csv") == "1");
    BOOST_TEST(values_of("a/**/{x}.csv", "a/_temporary/1.csv") == "no");
    for (const char *wrong : {"", "/a", "a/", "a/../b", "{}", "{a", "{a}{b}", "***", "a/**", "**/a/**/b", "{a}/{a}"})
        BOOST_CHECK_THROW(PathPattern{wrong}, SettingError);
}

BOOST_AUTO_TEST_CASE(types_that_take_all_values) {
    BOOST_TEST(type_of({}) == "text");
    BOOST_TEST(type_of({"1", "-20", "0"}) == "bigint");
    BOOST_TEST(type_of({"1", "007"}) == "text");
    BOOST_TEST(type_of({"1", "1.5"}) == "numeric");
    BOOST_TEST(type_of({"1e5"}) == "numeric");
    BOOST_TEST(type_of({"1234567890123456789"}) == "numeric");
    BOOST_TEST(type_of({"true", "false"}) == "boolean");
    BOOST_TEST(type_of({"true", "1"}) == "text");
    BOOST_TEST(type_of({"2026-11-01"}) == "date");
    BOOST_TEST(type_of({"2026-13-01"}) == "text");
    BOOST_TEST(type_of({"2026-11-01", "2026-11-01T10:00:00.5"}) == "timestamp");
    BOOST_TEST(type_of({"2026-11-01 10:00:00Z", "2026-11-01T10:00+05:30"}) == "timestamptz");
    BOOST_TEST(type_of({"2026-11-01 10:00:00Z", "2026-11-01 10:00:00"}) == "text");
    BOOST_TEST(type_of({"-", "."}) == "text");
}

BOOST_AUTO_TEST_CASE(xml_as_json) {
    BOOST_TEST(json_of_xml("<?xml version=\"1.0\"?>\n<!-- c --><r xmlns='x'><a>1</a><a>&lt;&#x1F600;&#10;</a><s:b "
                           "c=\"/>\"><d/></s:b><e><![CDATA[<&]]></e></r>\n") ==
               R"({"a":["1","<😀\n"],"b":{"d":""},"e":"<&"})");
    BOOST_TEST(json_of_xml("<r/>") == "{}");
    std::string deep;
    for (int i = 0; i < 1000; i++)
        deep += "<a>";
    for (const std::string wrong :
         {"", "x", "<", "<a>", "<a></b>", "<a>&x;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&amp</a>", "<a/><b/>",
          "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", deep.c_str()})
        BOOST_CHECK_THROW(json_of_xml(wrong), std::runtime_error);
}

} // namespace reverse_etl
