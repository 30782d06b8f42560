#include "engine/text/iso_time.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_CASE(times) {
    for (const char *text : {"1994-11-06T08:49:37Z", "1994-11-06 08:49:37", "1994-11-06T08:49:37.000+00:00",
                             "1994-11-06T09:49:37+01:00", "1994-11-06T09:49:37+01", "1994-11-06T02:19:37-0630"})
        BOOST_TEST((iso_time(text) == 784111777.0), text);
    BOOST_TEST((iso_time("1970-01-01T00:00Z") == 0.0));
    BOOST_TEST((iso_time("1969-12-31T23:59:59Z") == -1.0));
    BOOST_TEST((iso_time("2024-02-29T00:00:00.25Z") == 1709164800.25));
}

BOOST_AUTO_TEST_CASE(no_times) {
    for (const char *text :
         {"", "1", "784111777", "1994-11-06", "1994-11-06T08", "1994-13-06T08:49:37Z", "2023-02-29T00:00:00Z",
          "1994-11-06T24:00:00Z", "1994-11-06T08:60:00Z", "1994-11-06T08:49:61Z", "1994-11-06T08:49:37Q",
          "1994-11-06T08:49:37+1", "1994-11-06T08:49:37+01:0", "1994-11-06T08:49:37Z ", "94-11-06T08:49:37Z",
          "Sun, 06 Nov 1994 08:49:37 GMT", "+994-11-06T08:49:37Z", "1994-11-06T08:49:3"})
        BOOST_TEST(!iso_time(text).has_value(), text);
}
