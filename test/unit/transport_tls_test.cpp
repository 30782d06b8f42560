#include "test_certificate.h"
#include "transport_fixture.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(a_certificate_of_an_unknown_authority_is_not_trusted) {
    TestCertificate certificate("localhost");
    LoopbackServer server([](const auto &, auto &connection) { connection.answer(200); }, &certificate.context());
    const Response response = exchange(post(server.url("/", "localhost"), "row"));
    BOOST_TEST((response.failure == Failure::not_trusted));
    BOOST_TEST(response.failure_text.find("certificate") != std::string::npos, response.failure_text);
    BOOST_TEST(server.requests() == 0);
}

BOOST_AUTO_TEST_CASE(a_named_authority_is_trusted) {
    TestCertificate certificate("localhost");
    LoopbackServer server([](const auto &request, auto &connection) { connection.answer(200, request.body); },
                          &certificate.context());
    CurlTransport transport;
    Request request = post(server.url("/", "localhost"), "row");
    request.ca_file = certificate.file();
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(exchange(transport, request).body == "row");
    BOOST_TEST(server.connections() == 1);

    request.ca_file.clear(); // what was trusted for another request is not for this one
    BOOST_TEST((exchange(transport, request).failure == Failure::not_trusted));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_not_trusted) {
    TestCertificate certificate("elsewhere.example");
    LoopbackServer server([](const auto &, auto &connection) { connection.answer(200); }, &certificate.context());
    Request request = post(server.url("/", "localhost"), "row");
    request.ca_file = certificate.file();
    BOOST_TEST((exchange(request).failure == Failure::not_trusted));
    BOOST_TEST(server.requests() == 0);
}

BOOST_AUTO_TEST_CASE(a_missing_authority_file_is_not_trusted) {
    TestCertificate certificate("localhost");
    LoopbackServer server([](const auto &, auto &connection) { connection.answer(200); }, &certificate.context());
    Request request = post(server.url("/", "localhost"), "row");
    request.ca_file = "/nonexistent/ca.crt";
    BOOST_TEST((exchange(request).failure == Failure::not_trusted));
}

/// A TCP server for one connection, which ends it after a greeting.
struct Greeter {
    explicit Greeter(std::string_view greeting, bool reset)
        : thread([this, greeting, reset] {
              auto socket = acceptor.accept();
              boost::asio::write(socket, boost::asio::buffer(greeting));
              if (reset)
                  return socket.set_option(boost::asio::socket_base::linger(true, 0));
              socket.shutdown(socket.shutdown_send);
              char byte;
              while (::recv(socket.native_handle(), &byte, 1, 0) > 0)
                  ;
          }) {}
    ~Greeter() { thread.join(); }

    std::string url() const { return "https://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()); }

    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
    std::thread thread;
};

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_not_trusted) {
    Greeter greeter("220 mail.example.com ESMTP\r\n", false);
    const Response response = exchange(get(greeter.url()));
    BOOST_TEST((response.failure == Failure::not_trusted), response.failure_text);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_in_the_handshake_was_not_made) {
    for (const bool reset : {false, true}) {
        Greeter greeter("", reset);
        const Response response = exchange(get(greeter.url()));
        BOOST_TEST((response.failure == Failure::not_connected), response.failure_text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
