#include "engine/sources/cell_text.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

std::string cell(CellForm form, std::string_view value) {
    std::string text;
    append_cell(text, form, value);
    return text;
}

} // namespace

BOOST_AUTO_TEST_CASE(dates_are_those_of_the_gregorian_calendar_before_the_year_1_too) {
    BOOST_TEST(cell(CellForm::days, "0") == "1970-01-01");
    BOOST_TEST(cell(CellForm::days, "-1") == "1969-12-31");
    BOOST_TEST(cell(CellForm::days, "11016") == "2000-02-29");
    BOOST_TEST(cell(CellForm::days, "-719162") == "0001-01-01");
    BOOST_TEST(cell(CellForm::days, "-719163") == "0001-12-31 BC");
    BOOST_TEST(cell(CellForm::days, "2932896") == "9999-12-31");
    BOOST_TEST(cell(CellForm::days, "2932897") == "10000-01-01");
}

BOOST_AUTO_TEST_CASE(moments_keep_all_their_digits_and_their_zone) {
    BOOST_TEST(cell(CellForm::seconds, "1616173619.000000000") == "2021-03-19 17:06:59");
    BOOST_TEST(cell(CellForm::seconds, "0.123456789") == "1970-01-01 00:00:00.123456789");
    BOOST_TEST(cell(CellForm::seconds, "-1.250000000") == "1969-12-31 23:59:58.75");
    BOOST_TEST(cell(CellForm::seconds, "-0.000000001") == "1969-12-31 23:59:59.999999999");
    BOOST_TEST(cell(CellForm::seconds, "-1.000000000") == "1969-12-31 23:59:59");
    BOOST_TEST(cell(CellForm::moment, "1616173619") == "2021-03-19 17:06:59+00");
    BOOST_TEST(cell(CellForm::moment, "-62135596801") == "0001-12-31 23:59:59+00 BC");
    BOOST_TEST(cell(CellForm::moment_at, "1616173619.000000000 2040") == "2021-03-20 03:06:59+10:00");
    BOOST_TEST(cell(CellForm::moment_at, "1616173619 1230") == "2021-03-19 13:36:59-03:30");
    BOOST_TEST(cell(CellForm::micros, "-1") == "1969-12-31 23:59:59.999999+00");
    BOOST_TEST(cell(CellForm::micros, "1616173619000000") == "2021-03-19 17:06:59+00");
    BOOST_TEST(cell(CellForm::day_second, "82919.000000000") == "23:01:59");
    BOOST_TEST(cell(CellForm::day_second, "86400") == "24:00:00");
}

BOOST_AUTO_TEST_CASE(bytes_are_those_of_bytea) {
    BOOST_TEST(cell(CellForm::hex, "00FF") == "\\x00FF");
    BOOST_TEST(cell(CellForm::base64, "AP8=") == "\\x00ff");
    BOOST_TEST(cell(CellForm::base64, "") == "\\x");
}

BOOST_AUTO_TEST_CASE(what_is_not_written_as_its_form_says_stays_as_it_is) {
    for (const CellForm form : {CellForm::days, CellForm::seconds, CellForm::moment, CellForm::moment_at,
                                CellForm::micros, CellForm::day_second})
        for (const char *value :
             {"", "x", "1x", "1.2.3", "1.-2", "-", "--1", "99999999999999999999", "1e5", "1 ", " 1"})
            BOOST_TEST(cell(form, value) == value, value);
    BOOST_TEST(cell(CellForm::moment_at, "1 99999") == "1 99999");
    BOOST_TEST(cell(CellForm::base64, "*") == "*");
    BOOST_TEST(cell(CellForm::text, std::string_view("a\0b", 3)) == "a\xef\xbf\xbd"
                                                                    "b");
}

BOOST_AUTO_TEST_CASE(years_with_a_sign_are_those_of_iso_8601) {
    BOOST_TEST(cell(CellForm::iso, "2026-11-27") == "2026-11-27");
    BOOST_TEST(cell(CellForm::iso, "2026-11-27 10:00:00.5 UTC") == "2026-11-27 10:00:00.5 UTC");
    BOOST_TEST(cell(CellForm::iso, "0000-12-31") == "0001-12-31 BC");
    BOOST_TEST(cell(CellForm::iso, "-0043-03-15T12:00:00Z") == "0044-03-15T12:00:00Z BC");
    BOOST_TEST(cell(CellForm::iso, "+12345-01-01") == "12345-01-01");
    for (const char *other : {"", "-", "now", "12-01-01", "-99999999999999999999-01-01"})
        BOOST_TEST(cell(CellForm::iso, other) == other, other);
}
