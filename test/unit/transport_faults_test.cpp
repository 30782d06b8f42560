#include "transport_fixture.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>

using namespace reverse_etl;
using std::chrono::seconds;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(nobody_listens) {
    const std::string where = "127.0.0.1:" + std::to_string(closed_port());
    const Response response = exchange(get("http://" + where + "/path?token=secret"));
    BOOST_TEST((response.failure == Failure::not_connected));
    BOOST_TEST(response.status == 0);
    BOOST_TEST(!response.traffic.opened_connection);
    BOOST_TEST(!response.traffic.reused_connection);
    BOOST_TEST(response.failure_text.find(where) != std::string::npos, response.failure_text);
    BOOST_TEST(response.failure_text.find("secret") == std::string::npos, response.failure_text);
}

BOOST_AUTO_TEST_CASE(no_host_of_that_name) {
    const Response response = exchange(get("http://no-such-host.invalid/"));
    BOOST_TEST((response.failure == Failure::unknown_host));
    BOOST_TEST(response.failure_text.find("no-such-host.invalid") != std::string::npos, response.failure_text);
}

BOOST_AUTO_TEST_CASE(an_answer_that_does_not_come) {
    LoopbackServer server([](const auto &, auto &connection) { connection.stall(); });
    Request request = post(server.url(), "row");
    request.timeout = Milliseconds(200);
    const auto start = Clock::now();
    const Response response = exchange(request);
    BOOST_TEST((response.failure == Failure::interrupted));
    BOOST_TEST(seconds_since(start) < 5.0);
    BOOST_TEST(response.failure_text.find("timed out") != std::string::npos, response.failure_text);
}

BOOST_AUTO_TEST_CASE(a_connection_that_does_not_come) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor silent(io, {boost::asio::ip::address_v4::loopback(), 0});
    Request request = get("https://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/");
    request.connect_timeout = Milliseconds(200);
    const auto start = Clock::now();
    BOOST_TEST((exchange(request).failure == Failure::not_connected));
    BOOST_TEST(seconds_since(start) >= 0.2);
    BOOST_TEST(seconds_since(start) < 5.0);
}

BOOST_AUTO_TEST_CASE(a_reset) {
    LoopbackServer server([](const auto &, auto &connection) { connection.reset(); });
    const Response response = exchange(post(server.url(), "row"));
    BOOST_TEST((response.failure == Failure::interrupted));
    BOOST_TEST(server.requests() == 1);
}

BOOST_AUTO_TEST_CASE(a_body_that_was_cut) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        connection.close();
    });
    const Response response = exchange(post(server.url(), "row"));
    BOOST_TEST((response.failure == Failure::interrupted));
    BOOST_TEST(response.status == 0);
    BOOST_TEST(response.body == "");
}

BOOST_AUTO_TEST_CASE(what_is_not_http) {
    LoopbackServer server([](const auto &, auto &connection) {
        connection.send("220 mail.example.com ESMTP\r\n");
        connection.close();
    });
    BOOST_TEST((exchange(post(server.url(), "row")).failure == Failure::interrupted));
}

BOOST_AUTO_TEST_CASE(a_failure_leaves_the_transport_usable) {
    std::atomic<int> requests = 0;
    LoopbackServer server([&](const auto &, auto &connection) {
        if (++requests % 2)
            connection.reset();
        else
            connection.answer(200);
    });
    CurlTransport transport;
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(
            (exchange(transport, post(server.url(), "row")).failure == (i % 2 ? Failure::none : Failure::interrupted)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(requests_that_are_refused)

BOOST_AUTO_TEST_CASE(header_injection) {
    LoopbackServer server([](const auto &, auto &connection) { connection.answer(200); });
    const std::pair<std::string, std::string> bad_headers[] = {
        {"X-Name", "Ada\r\nX-Admin: yes"},   {"X-Name", "Ada\nX-Admin: yes"},   {"X-Name", "Ada\r"},
        {"X-Name", std::string("Ada\0", 4)}, {"X-Name: yes\r\nX-Admin", "yes"}, {"", "no name"},
    };
    CurlTransport transport;
    for (const auto &header : bad_headers) {
        Request request = get(server.url());
        request.headers = {header};
        const Response response = exchange(transport, request);
        BOOST_TEST((response.failure == Failure::unusable));
        BOOST_TEST(response.failure_text.find("Ada") == std::string::npos);
    }
    Request request = get(server.url());
    request.method = "GET / HTTP/1.1\r\nX-Admin: yes\r\n\r\nGET";
    BOOST_TEST((exchange(transport, request).failure == Failure::unusable));
    BOOST_TEST((exchange(transport, get(server.url("/\r\nX-Admin: yes"))).failure == Failure::unusable));
    BOOST_TEST(server.connections() == 0);
    BOOST_TEST(exchange(transport, get(server.url())).status == 200);
}

BOOST_AUTO_TEST_CASE(bad_urls) {
    for (const char *url : {"", "http://", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
                            "http://user:secret@127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.1/a b"}) {
        const Response response = exchange(get(url));
        BOOST_TEST((response.failure == Failure::unusable), url);
        BOOST_TEST(response.failure_text != "", url);
        BOOST_TEST(response.failure_text.find("secret") == std::string::npos, response.failure_text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
