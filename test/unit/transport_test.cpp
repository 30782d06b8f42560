#include "transport_fixture.h"

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>
#include <boost/test/unit_test.hpp>

#include <dlfcn.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <set>
#include <thread>

using namespace reverse_etl;
using std::chrono::seconds;

// The resolver that libcurl's threads call. Names under .stalled take twenty seconds, then are unknown; for every name
// the signals that may be handled in the thread are noted.
namespace {
std::atomic<bool> signal_was_open = false;
std::atomic<int> names_resolved = 0;
} // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                                  const addrinfo *hints, addrinfo **result) {
    static const auto system_resolver = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGUSR1, SIGHUP, SIGQUIT})
        signal_was_open = signal_was_open || !sigismember(&blocked, signal);
    ++names_resolved;
    if (name && std::string_view(name).ends_with(".stalled")) {
        std::this_thread::sleep_for(seconds(20));
        return EAI_NONAME;
    }
    return system_resolver(name, service, hints, result);
}

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

void append_little_endian(std::string &out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
        out += static_cast<char>(value >> shift & 0xff);
}

std::string gzip(std::string_view text) {
    using namespace boost::beast::zlib;
    deflate_stream deflate;
    deflate.reset(9, 15, 8, Strategy::normal);
    std::string compressed(deflate.upper_bound(text.size()), '\0');
    z_params params;
    params.next_in = text.data();
    params.avail_in = text.size();
    params.next_out = compressed.data();
    params.avail_out = compressed.size();
    boost::system::error_code error;
    deflate.write(params, Flush::finish, error);
    compressed.resize(params.total_out);

    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::string result("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    result += compressed;
    append_little_endian(result, crc.checksum());
    append_little_endian(result, static_cast<std::uint32_t>(text.size()));
    return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(request_and_answer_are_whole) {
    LoopbackServer server([](const auto &request, auto &connection) {
        BOOST_TEST(request.method == "PATCH");
        BOOST_TEST(request.target == "/crm/contacts?limit=1");
        BOOST_TEST(request.all_of("Authorization") == "Bearer secret");
        BOOST_TEST(request.all_of("User-Agent") == "reverse_etl/0.1.0");
        BOOST_TEST(request.has("X-Empty"));
        BOOST_TEST(!request.has("Expect"));
        BOOST_TEST(request.body == R"({"email":"ada@example.com"})");
        connection.answer(207, R"({"status":"COMPLETE"})", "X-Trace: 7 \r\nRetry-After: 1\r\n");
    });
    Request request = post(server.url("/crm/contacts?limit=1"), R"({"email":"ada@example.com"})");
    request.method = "PATCH";
    request.headers = {{"Authorization", "Bearer secret"}, {"Content-Type", "application/json"}, {"X-Empty", ""}};
    const Response response = exchange(request);
    BOOST_TEST((response.failure == Failure::none));
    BOOST_TEST(response.status == 207);
    BOOST_TEST(response.body == R"({"status":"COMPLETE"})");
    BOOST_REQUIRE(response.header("x-trace"));
    BOOST_TEST(*response.header("x-trace") == "7");
    BOOST_TEST(!response.header("x-request-id"));
}

BOOST_AUTO_TEST_CASE(every_method) {
    LoopbackServer server([](const auto &request, auto &connection) {
        const std::string seen = request.method + " " + request.all_of("Content-Length") + " " + request.body;
        connection.answer(200, request.method == "HEAD" ? "" : seen);
    });
    CurlTransport transport;
    const auto seen = [&](std::string method, std::string_view body) {
        Request request = post(server.url(), body);
        request.method = std::move(method);
        return exchange(transport, request).body;
    };
    BOOST_TEST(seen("GET", "") == "GET  ");
    BOOST_TEST(seen("POST", "a") == "POST 1 a");
    BOOST_TEST(seen("DELETE", "") == "DELETE  ");
    BOOST_TEST(seen("PUT", "b") == "PUT 1 b");
    BOOST_TEST(seen("DELETE", "c") == "DELETE 1 c");
    BOOST_TEST(seen("POST", "") == "POST 0 ");
    BOOST_TEST(seen("GET", "d") == "GET 1 d");
    BOOST_TEST(seen("HEAD", "") == "");
    BOOST_TEST(seen("GET", "") == "GET  ");
    BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(only_the_final_answer_has_headers) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n");
        connection.answer(201, "", "X-Final: yes\r\n");
    });
    const Response response = exchange(post(server.url(), "row"));
    BOOST_TEST(response.status == 201);
    BOOST_TEST(!response.header("x-early"));
    BOOST_TEST(response.header("x-final"));
}

BOOST_AUTO_TEST_CASE(a_redirect_is_an_answer) {
    LoopbackServer elsewhere([](const auto &, auto &connection) { connection.answer(200, "stolen"); });
    LoopbackServer server(
        [&](const auto &, auto &connection) { connection.answer(307, "", "Location: " + elsewhere.url() + "\r\n"); });
    const Response response = exchange(post(server.url(), "row"));
    BOOST_TEST(response.status == 307);
    BOOST_REQUIRE(response.header("location"));
    BOOST_TEST(*response.header("location") == elsewhere.url());
    BOOST_TEST(elsewhere.connections() == 0);
}

BOOST_AUTO_TEST_CASE(cookies_are_not_kept) {
    LoopbackServer server([](const auto &request, auto &connection) {
        BOOST_TEST(!request.has("Cookie"));
        connection.answer(200, "", "Set-Cookie: session=1; Path=/\r\n");
    });
    CurlTransport transport;
    exchange(transport, get(server.url()));
    exchange(transport, get(server.url()));
    BOOST_TEST(server.requests() == 2);
}

BOOST_AUTO_TEST_CASE(a_compressed_answer_is_decompressed) {
    LoopbackServer server([](const auto &request, auto &connection) {
        BOOST_TEST(request.all_of("Accept-Encoding").find("gzip") != std::string::npos);
        connection.answer(200, gzip("a compressed answer"), "Content-Encoding: gzip\r\n");
    });
    const Response response = exchange(get(server.url()));
    BOOST_TEST(response.body == "a compressed answer");
    BOOST_TEST(response.traffic.bytes_received == gzip("a compressed answer").size());
    BOOST_TEST(response.traffic.bytes_uncompressed == response.body.size());
}

BOOST_AUTO_TEST_CASE(large_bodies_both_ways) {
    LoopbackServer server([](const auto &request, auto &connection) { connection.answer(200, request.body); });
    const std::string body(900000, 'x');
    const Response response = exchange(post(server.url(), body));
    BOOST_TEST((response.body == body));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(connections)

BOOST_AUTO_TEST_CASE(one_is_kept) {
    LoopbackServer server([](const auto &request, auto &connection) { connection.answer(200, request.body); });
    CurlTransport transport;
    for (int i = 0; i < 200; ++i) {
        const std::string body = "row " + std::to_string(i);
        const Response response = exchange(transport, post(server.url(), body));
        BOOST_REQUIRE_EQUAL(response.body, body);
        BOOST_REQUIRE_EQUAL(response.traffic.bytes_sent, body.size());
        BOOST_REQUIRE_EQUAL(response.traffic.bytes_received, body.size());
        BOOST_REQUIRE_EQUAL(response.traffic.opened_connection, i == 0);
        BOOST_REQUIRE_EQUAL(response.traffic.reused_connection, i > 0);
    }
    BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(eight_in_flight) {
    std::atomic<int> at_once = 0, most_at_once = 0;
    LoopbackServer server([&](const auto &request, auto &connection) {
        most_at_once = std::max<int>(most_at_once, ++at_once);
        std::this_thread::sleep_for(Milliseconds(1));
        --at_once;
        connection.answer(200, request.body);
    });
    CurlTransport transport;
    PollWaiter waiter;
    std::vector<std::string> bodies;
    for (int i = 0; i < 500; ++i)
        bodies.push_back("row " + std::to_string(i));
    std::size_t started = 0;
    std::set<ExchangeId> in_flight;
    std::multiset<std::string> answered;
    while (answered.size() < bodies.size()) {
        while (in_flight.size() < 8 && started < bodies.size())
            in_flight.insert(transport.start(post(server.url(), bodies[started++])));
        std::vector<Finished> finished;
        transport.run(waiter, Clock::now() + seconds(5), finished);
        BOOST_REQUIRE(!finished.empty());
        for (auto &[id, response] : finished) {
            BOOST_REQUIRE_EQUAL(in_flight.erase(id), 1u);
            answered.insert(response.body);
        }
    }
    BOOST_TEST((answered == std::multiset<std::string>(bodies.begin(), bodies.end())));
    BOOST_TEST(server.connections() <= 8);
    BOOST_TEST(most_at_once > 1);
}

BOOST_AUTO_TEST_CASE(one_that_the_server_closed_is_replaced) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.answer(200);
        connection.close();
    });
    CurlTransport transport;
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(exchange(transport, post(server.url(), "row")).status == 200);
        std::this_thread::sleep_for(Milliseconds(20));
    }
    BOOST_TEST(server.connections() == 5);
}

BOOST_AUTO_TEST_CASE(a_request_is_never_sent_twice) {
    std::atomic<int> rows = 0;
    LoopbackServer server([&](const auto &, auto &connection) {
        if (++rows == 1)
            connection.answer(200);
        else
            connection.reset(); // on a kept connection, once the row has arrived
    });
    CurlTransport transport;
    BOOST_TEST(exchange(transport, post(server.url(), "first row")).status == 200);
    const Response response = exchange(transport, post(server.url(), "second row"));
    BOOST_TEST((response.failure == Failure::interrupted));
    BOOST_TEST(response.failure_text.starts_with("the kept connection broke"), response.failure_text);
    BOOST_TEST(rows == 2);
}

BOOST_AUTO_TEST_CASE(a_request_that_was_sent_may_have_arrived_though_the_host_is_gone_now) {
    LoopbackServer *self = nullptr;
    LoopbackServer server([&](const auto &request, auto &connection) {
        if (request.body == "first row")
            return connection.answer(200);
        self->stop_listening();
        connection.reset();
    });
    self = &server;
    CurlTransport transport;
    BOOST_TEST(exchange(transport, post(server.url(), "first row")).status == 200);
    const Response response = exchange(transport, post(server.url(), "second row"));
    BOOST_TEST((response.failure == Failure::interrupted));
    BOOST_TEST(response.failure_text.starts_with("the kept connection broke before an answer came"),
               response.failure_text);
    BOOST_TEST(response.traffic.bytes_sent == 10u);
    BOOST_TEST(!response.traffic.opened_connection);
    BOOST_TEST(response.traffic.reused_connection);
    BOOST_TEST((exchange(transport, post(server.url(), "third row")).failure == Failure::not_connected));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers_that_are_too_large)

BOOST_AUTO_TEST_CASE(announced) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
        connection.stall();
    });
    const Response response = exchange(get(server.url()));
    BOOST_TEST((response.failure == Failure::too_large));
    BOOST_TEST(response.failure_text.find("larger") != std::string::npos, response.failure_text);
}

BOOST_AUTO_TEST_CASE(without_end) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("HTTP/1.1 200 OK\r\n\r\n");
        const std::string megabyte(1 << 20, 'x');
        for (int i = 0; i < 80; ++i)
            connection.send(megabyte);
        connection.close();
    });
    BOOST_TEST((exchange(get(server.url())).failure == Failure::too_large));
}

BOOST_AUTO_TEST_CASE(once_decompressed) {
    const std::string bomb = gzip(std::string(CurlTransport::max_response_bytes + 1, 'x'));
    BOOST_REQUIRE(bomb.size() < (1 << 20));
    LoopbackServer server(
        [&](const auto &, auto &connection) { connection.answer(200, bomb, "Content-Encoding: gzip\r\n"); });
    const Response response = exchange(get(server.url()));
    BOOST_TEST((response.failure == Failure::too_large));
    BOOST_TEST(response.body.capacity() < CurlTransport::max_response_bytes);
}

BOOST_AUTO_TEST_CASE(in_their_headers) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 100000; ++i)
            connection.send("X-Filler: " + std::string(1000, 'x') + "\r\n");
        connection.close();
    });
    BOOST_TEST((exchange(get(server.url())).failure == Failure::too_large));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(waiting)

BOOST_AUTO_TEST_CASE(the_deadline_is_kept) {
    LoopbackServer server([](const auto &, auto &connection) { connection.stall(); });
    CurlTransport transport;
    PollWaiter waiter;
    std::vector<Finished> finished;
    transport.start(get(server.url()));
    const auto start = Clock::now();
    transport.run(waiter, start + Milliseconds(200), finished);
    BOOST_TEST(finished.empty());
    BOOST_TEST(seconds_since(start) >= 0.2);
    BOOST_TEST(seconds_since(start) < 5.0);
}

BOOST_AUTO_TEST_CASE(a_cancelled_exchange_is_gone_and_the_others_stay) {
    std::string doomed_body(1 << 20, 'x');
    LoopbackServer server([](const auto &request, auto &connection) {
        if (request.target == "/stalled")
            connection.stall();
        else
            connection.answer(200, request.body);
    });
    CurlTransport transport;
    PollWaiter waiter;
    std::vector<Finished> finished;
    const ExchangeId doomed = transport.start(post(server.url("/stalled"), doomed_body));
    transport.run(waiter, Clock::now() + Milliseconds(50), finished);
    const ExchangeId other = transport.start(post(server.url(), "row"));
    transport.cancel(doomed);
    doomed_body = {};
    transport.run(waiter, Clock::now() + seconds(5), finished);
    BOOST_REQUIRE_EQUAL(finished.size(), 1u);
    BOOST_TEST(finished[0].id == other);
    BOOST_TEST(finished[0].response.body == "row");
    transport.cancel(doomed);
    transport.cancel(other);
}

BOOST_AUTO_TEST_CASE(a_waiter_may_throw) {
    class Cancelled : public Waiter {
        bool wait(int, long) override { throw std::runtime_error("cancelled"); }
    };
    LoopbackServer server([](const auto &, auto &connection) {
        std::this_thread::sleep_for(Milliseconds(50));
        connection.answer(200);
    });
    CurlTransport transport;
    Cancelled cancelled;
    std::vector<Finished> finished;
    const ExchangeId id = transport.start(get(server.url()));
    BOOST_CHECK_THROW(transport.run(cancelled, Clock::now() + seconds(5), finished), std::runtime_error);
    transport.cancel(id);
    BOOST_TEST(exchange(transport, get(server.url())).status == 200);
}

BOOST_AUTO_TEST_CASE(a_stalled_resolver_holds_up_nobody) {
    Request request = get("http://host.stalled/");
    request.connect_timeout = Milliseconds(200);
    CurlTransport transport;
    PollWaiter waiter;
    std::vector<Finished> finished;
    auto start = Clock::now();
    BOOST_TEST((exchange(transport, request).failure == Failure::not_connected));
    BOOST_TEST(seconds_since(start) < 5.0);

    start = Clock::now();
    const ExchangeId id = transport.start(get("http://other-host.stalled/"));
    transport.run(waiter, start + Milliseconds(100), finished);
    transport.cancel(id);
    BOOST_TEST(finished.empty());
    BOOST_TEST(seconds_since(start) < 5.0);
}

BOOST_AUTO_TEST_CASE(no_signal_is_handled_in_a_resolver_thread) {
    names_resolved = 0;
    signal_was_open = false;
    exchange(get("http://another-host.invalid/"));
    BOOST_TEST(names_resolved == 1);
    BOOST_TEST(!signal_was_open);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    BOOST_TEST(!sigismember(&blocked, SIGINT));
}

BOOST_AUTO_TEST_SUITE_END()
