#pragma once

#include "engine/http/curl_transport.h"

#include "loopback_server.h"
#include "poll_waiter.h"
#include "process_like_a_backend.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

inline Request get(std::string url) {
    Request request;
    request.method = "GET";
    request.url = std::move(url);
    request.timeout = std::chrono::seconds(10);
    return request;
}

inline Request post(std::string url, std::string_view body) {
    Request request = get(std::move(url));
    request.method = "POST";
    request.body = body;
    return request;
}

inline Response exchange(Transport &transport, const Request &request) {
    PollWaiter waiter;
    std::vector<Finished> finished;
    const ExchangeId id = transport.start(request);
    transport.run(waiter, Clock::now() + std::chrono::seconds(20), finished);
    BOOST_REQUIRE_EQUAL(finished.size(), 1u);
    BOOST_REQUIRE_EQUAL(finished.front().id, id);
    return std::move(finished.front().response);
}

inline Response exchange(const Request &request) {
    CurlTransport transport;
    return exchange(transport, request);
}

inline double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace reverse_etl

BOOST_TEST_DONT_PRINT_LOG_VALUE(reverse_etl::Failure)
