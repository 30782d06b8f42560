#include "engine/text/iso_moment.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

Moment at(std::int64_t milliseconds) {
    return Moment(std::chrono::milliseconds(milliseconds));
}

} // namespace

BOOST_AUTO_TEST_CASE(times) {
    for (const char *text : {"1994-11-06T08:49:37Z", "1994-11-06 08:49:37", "1994-11-06T08:49:37.000+00:00",
                             "1994-11-06T09:49:37+01:00", "1994-11-06T09:49:37+01", "1994-11-06T02:19:37-0630"})
        BOOST_TEST((iso_moment(text) == at(784111777000)), text);
    BOOST_TEST((iso_moment("1970-01-01T00:00Z") == at(0)));
    BOOST_TEST((iso_moment("1969-12-31T23:59:59Z") == at(-1000)));
    BOOST_TEST((iso_moment("2024-02-29T00:00:00.25Z") == at(1709164800250)));
    BOOST_TEST((iso_moment("1994-11-06") == at(784080000000)));
    BOOST_TEST((iso_moment("1969-12-31T23:59:59.999999Z") == at(-1)));
    BOOST_TEST(in_date_format(*iso_moment("2026-01-31T23:30:05.007-01:00"), "DD.MM.YY HH:MI:SS,MS") ==
               "01.02.26 00:30:05,007");
}

BOOST_AUTO_TEST_CASE(no_times) {
    for (const char *text :
         {"", "1", "784111777", "1994-11-06T08", "1994-13-06T08:49:37Z", "2023-02-29T00:00:00Z", "1994-11-06T24:00:00Z",
          "1994-11-06T08:60:00Z", "1994-11-06T08:49:61Z", "1994-11-06T08:49:37Q", "1994-11-06T08:49:37+1",
          "1994-11-06T08:49:37+01:0", "1994-11-06T08:49:37Z ", "94-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT",
          "+994-11-06T08:49:37Z", "1994-11-06T08:49:3"})
        BOOST_TEST(!iso_moment(text).has_value(), text);
}
