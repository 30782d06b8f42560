#include "engine/limits/backoff.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;
using std::chrono::system_clock;

namespace {

const auto now = system_clock::from_time_t(784111777); // Sun, 06 Nov 1994 08:49:37 GMT

std::optional<Milliseconds> retry_after(Headers headers) {
    Response response;
    response.headers = std::move(headers);
    return reverse_etl::retry_after(response, now);
}

Milliseconds longest_of_many(int attempt) {
    std::mt19937_64 random(1);
    Milliseconds longest{};
    for (int i = 0; i < 10000; ++i)
        longest = std::max(longest, backoff(attempt, Milliseconds(100), Milliseconds(3000), random));
    return longest;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(std::optional<Milliseconds>)

BOOST_AUTO_TEST_CASE(jitter_on_a_wait_that_was_asked_for) {
    std::mt19937_64 random(1);
    const Milliseconds asked(1000), pause(300);
    Milliseconds most(0);
    for (int i = 0; i < 1000; ++i) {
        const Milliseconds full = jitter_of(Jitter::full, asked, pause, random);
        BOOST_TEST((full >= Milliseconds(0) && full <= asked));
        most = std::max(most, full);
    }
    BOOST_TEST((most > Milliseconds(900)));
    BOOST_TEST((jitter_of(Jitter::little, asked, pause, random) == Milliseconds(30)));
    BOOST_TEST((jitter_of(Jitter::none, asked, pause, random) == Milliseconds(0)));
}

BOOST_AUTO_TEST_CASE(delays_double_up_to_the_cap) {
    BOOST_TEST(longest_of_many(1).count() == 100);
    BOOST_TEST(longest_of_many(2).count() == 200);
    BOOST_TEST(longest_of_many(5).count() == 1600, boost::test_tools::tolerance(0.01));
    BOOST_TEST(longest_of_many(6).count() == 3000, boost::test_tools::tolerance(0.01));
    BOOST_TEST(longest_of_many(1000000).count() == 3000, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(delays_are_spread_from_zero_on) {
    std::mt19937_64 random(1);
    double sum = 0;
    for (int i = 0; i < 10000; ++i)
        sum += backoff(3, Milliseconds(1000), Milliseconds(60000), random).count();
    BOOST_TEST(sum / 10000 == 2000.0, boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(retry_after_in_seconds) {
    BOOST_TEST((retry_after({{"retry-after", "120"}}) == Milliseconds(120000)));
    BOOST_TEST((retry_after({{"retry-after", "0.25"}}) == Milliseconds(250)));
    BOOST_TEST((retry_after({{"retry-after", "0"}}) == Milliseconds(0)));
    BOOST_TEST((retry_after({{"retry-after", "-3"}}) == Milliseconds(0)));
    BOOST_TEST(retry_after({{"retry-after", "1e300"}}).has_value());
}

BOOST_AUTO_TEST_CASE(retry_after_as_a_date) {
    for (const char *date :
         {"Sun, 06 Nov 1994 08:49:47 GMT", "Sunday, 06-Nov-94 08:49:47 GMT", "Sun Nov  6 08:49:47 1994"})
        BOOST_TEST((retry_after({{"retry-after", date}}) == Milliseconds(10000)), date);
    BOOST_TEST((retry_after({{"retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"}}) == Milliseconds(0)));
}

BOOST_AUTO_TEST_CASE(a_date_is_measured_by_the_clock_that_wrote_it) {
    BOOST_TEST((retry_after({{"date", "Sun, 06 Nov 1994 10:00:00 GMT"},
                             {"retry-after", "Sun, 06 Nov 1994 10:00:30 GMT"}}) == Milliseconds(30000)));
    BOOST_TEST((retry_after({{"date", "yesterday"}, {"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}}) ==
                Milliseconds(10000)));
}

BOOST_AUTO_TEST_CASE(what_says_nothing_gives_nothing) {
    BOOST_TEST((retry_after({}) == std::nullopt));
    for (const char *text : {"", "soon", "nan", "inf", "12 parsecs"})
        BOOST_TEST((retry_after({{"retry-after", text}}) == std::nullopt), text);
}

BOOST_AUTO_TEST_CASE(a_header_that_the_connector_names) {
    const auto wait = [](ToldTime::Unit unit, const char *text) {
        Response response;
        response.headers = {{"x-reset", text}};
        return wait_of(response, {"x-reset", unit}, now);
    };
    BOOST_TEST((wait(ToldTime::Unit::seconds, "2") == Milliseconds(2000)));
    BOOST_TEST((wait(ToldTime::Unit::milliseconds, "2") == Milliseconds(2)));
    BOOST_TEST((wait(ToldTime::Unit::epoch_seconds, "784111787") == Milliseconds(10000)));
    BOOST_TEST((wait(ToldTime::Unit::epoch_seconds, "784111000") == Milliseconds(0)));
    BOOST_TEST((wait(ToldTime::Unit::epoch_seconds, "later") == std::nullopt));
    BOOST_TEST((wait(ToldTime::Unit::http_date, "Sun, 06 Nov 1994 08:49:47 GMT") == Milliseconds(10000)));
    BOOST_TEST((wait(ToldTime::Unit::http_date, "1994") == std::nullopt));
    BOOST_TEST((wait(ToldTime::Unit::iso8601, "1994-11-06T08:49:47.5Z") == Milliseconds(10500)));
    BOOST_TEST((wait(ToldTime::Unit::iso8601, "1994-11-06T09:49:47+01:00") == Milliseconds(10000)));
    BOOST_TEST((wait(ToldTime::Unit::iso8601, "1994-11-06T08:00:00Z") == Milliseconds(0)));
    BOOST_TEST((wait(ToldTime::Unit::iso8601, "784111787") == std::nullopt));
    BOOST_TEST((wait_of(Response(), {"x-reset", ToldTime::Unit::seconds}, now) == std::nullopt));
    BOOST_TEST((wait_of(Response(), ToldTime(), now) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_place_in_the_body) {
    const BodyText body = [](const std::string &pointer) -> std::optional<std::string> {
        return pointer == "/wait" ? std::optional<std::string>("2.5") : std::nullopt;
    };
    BOOST_TEST((wait_of(Response(), {"", ToldTime::Unit::seconds, "/wait"}, now, body) == Milliseconds(2500)));
    BOOST_TEST((wait_of(Response(), {"", ToldTime::Unit::milliseconds, "/wait"}, now, body) == Milliseconds(3)));
    BOOST_TEST((wait_of(Response(), {"", ToldTime::Unit::seconds, "/other"}, now, body) == std::nullopt));
    BOOST_TEST((wait_of(Response(), {"", ToldTime::Unit::http_date, "/wait"}, now, body) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_always_the_same) {
    ToldTime told;
    told.always = 30;
    BOOST_TEST((wait_of(Response(), told, now) == Milliseconds(30000)));
}
