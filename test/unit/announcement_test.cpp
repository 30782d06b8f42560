#include "engine/limits/announcement.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

std::optional<Announcement> announced(const RateLimitSpec &limit, Headers headers) {
    Response response;
    response.headers = std::move(headers);
    return reverse_etl::announced(limit, response, std::chrono::system_clock::now());
}

RateLimitSpec plain() {
    RateLimitSpec limit;
    limit.limit_header = {"x-limit", ""};
    limit.remaining_header = {"x-remaining", ""};
    limit.reset_header = {"x-reset", ToldTime::Unit::milliseconds};
    return limit;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_header_for_each_number) {
    const auto all = announced(plain(), {{"x-limit", "100"}, {"x-remaining", "7"}, {"x-reset", "1500"}});
    BOOST_TEST(*all->limit == 100);
    BOOST_TEST(*all->remaining == 7);
    BOOST_TEST((*all->reset == Milliseconds(1500)));
    BOOST_TEST(!all->used);
    const auto some = announced(plain(), {{"x-remaining", "0"}});
    BOOST_TEST(*some->remaining == 0);
    BOOST_TEST(!some->limit);
    BOOST_TEST(!some->reset);
}

BOOST_AUTO_TEST_CASE(two_numbers_in_one_header) {
    RateLimitSpec limit;
    limit.used_header = {"usage", "api-usage="};
    limit.limit_header = {"usage", "/"};
    const auto found = announced(limit, {{"usage", "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"}});
    BOOST_TEST(*found->used == 18);
    BOOST_TEST(*found->limit == 5000);
}

BOOST_AUTO_TEST_CASE(what_says_nothing_gives_nothing) {
    BOOST_TEST(!announced(plain(), {}));
    BOOST_TEST(!announced(plain(), {{"x-limit", "unlimited"}, {"x-remaining", ""}, {"x-reset", "1"}}));
    BOOST_TEST(!announced(plain(), {{"x-limit", "99999999999999"}}));
    BOOST_TEST(!announced(RateLimitSpec(), {{"", "1"}}));
}

/// As GraphQL tells of points.
BOOST_AUTO_TEST_CASE(numbers_in_the_body) {
    RateLimitSpec limit;
    limit.limit_header.body = "/most";
    limit.remaining_header.body = "/left";
    limit.reset_header.body = "/reset";
    const auto told = [&](const char *left) {
        return reverse_etl::announced(limit, Response(), std::chrono::system_clock::now(),
                                      [&](const std::string &pointer) -> std::optional<std::string> {
                                          return pointer == "/left"    ? std::optional<std::string>(left)
                                                 : pointer == "/reset" ? std::optional<std::string>("3")
                                                                       : std::nullopt;
                                      });
    };
    BOOST_TEST(*told("954.5")->remaining == 954);
    BOOST_TEST((*told("0")->reset == Milliseconds(3000)));
    BOOST_TEST(!told("0")->limit);
    BOOST_TEST(!told("much"));
}
