#include "engine/transport.h"

#include "loopback_server.h"
#include "poll_waiter.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

namespace {

Request get(std::string url) {
    Request request;
    request.method = "GET";
    request.url = std::move(url);
    request.timeout = Milliseconds(5000);
    return request;
}

Request post(std::string url, std::string_view body) {
    Request request = get(std::move(url));
    request.method = "POST";
    request.body = body;
    return request;
}

Response exchange(Transport &transport, const Request &request) {
    PollWaiter waiter;
    std::vector<Finished> finished;
    transport.start(request);
    transport.run(waiter, Clock::now() + std::chrono::seconds(20), finished);
    BOOST_REQUIRE_EQUAL(finished.size(), 1u);
    return std::move(finished.front().response);
}

Response exchange(const Request &request) {
    Transport transport;
    return exchange(transport, request);
}

} // namespace

BOOST_AUTO_TEST_CASE(connections_are_kept) {
    LoopbackServer server([](const auto &request, auto &connection) { connection.answer(200, request.body()); });
    Transport transport;
    for (int i = 0; i < 200; ++i) {
        const std::string body = "row " + std::to_string(i);
        const Response response = exchange(transport, post(server.url(), body));
        BOOST_REQUIRE_EQUAL(response.status, 200);
        BOOST_REQUIRE_EQUAL(response.body, body);
    }
    BOOST_TEST(server.connections() == 1);
    BOOST_TEST(transport.statistics().connections_opened == 1u);
    BOOST_TEST(transport.statistics().requests == 200u);
}
