#include "engine/http/proxy.h"

#include "test_certificate.h"
#include "transport_fixture.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

using namespace reverse_etl;

BOOST_TEST_GLOBAL_FIXTURE(ProcessLikeABackend);

namespace {

using boost::asio::ip::tcp;

/// A proxy that opens tunnels to the one server that there is, or refuses them.
class TunnelProxy {
  public:
    TunnelProxy(std::string answer, unsigned short to)
        : answer_(std::move(answer)), to_(to), accepting_([this] { accept(); }) {}
    ~TunnelProxy() {
        stopping_ = true;
        boost::system::error_code ignored;
        tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);
        accepting_.join();
        for (const auto &socket : sockets_)
            ::shutdown(socket->native_handle(), SHUT_RDWR);
        for (std::thread &thread : threads_)
            thread.join();
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
    /// The heads of what it was asked.
    std::string asked() const {
        const std::lock_guard guard(mutex_);
        return asked_;
    }

  private:
    void accept() {
        for (;;) {
            auto client = std::make_shared<tcp::socket>(io_);
            acceptor_.accept(*client);
            if (stopping_)
                return;
            sockets_.push_back(client);
            auto server = sockets_.emplace_back(std::make_shared<tcp::socket>(io_));
            threads_.emplace_back([this, client, server] { serve(*client, *server); });
        }
    }

    void serve(tcp::socket &client, tcp::socket &server) {
        boost::asio::streambuf head;
        boost::system::error_code failed;
        boost::asio::read_until(client, head, "\r\n\r\n", failed);
        {
            const std::lock_guard guard(mutex_);
            asked_.append(boost::asio::buffers_begin(head.data()), boost::asio::buffers_end(head.data()));
        }
        if (to_ != 0)
            server.connect({boost::asio::ip::address_v4::loopback(), to_}, failed);
        boost::asio::write(client, boost::asio::buffer(answer_), failed);
        if (to_ == 0) {
            client.shutdown(tcp::socket::shutdown_both, failed);
            return;
        }
        std::thread back([&] { pump(server, client); });
        pump(client, server);
        back.join();
    }

    static void pump(tcp::socket &from, tcp::socket &to) {
        char bytes[4096];
        boost::system::error_code failed;
        while (!failed) {
            const std::size_t size = from.read_some(boost::asio::buffer(bytes), failed);
            if (!failed)
                boost::asio::write(to, boost::asio::buffer(bytes, size), failed);
        }
        ::shutdown(to.native_handle(), SHUT_RDWR);
    }

    std::string answer_;
    unsigned short to_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    std::string asked_;
    boost::asio::io_context io_;
    tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
    std::vector<std::shared_ptr<tcp::socket>> sockets_;
    std::vector<std::thread> threads_;
    std::thread accepting_;
};

unsigned short port_of(const LoopbackServer &server) {
    const std::string url = server.url("");
    return static_cast<unsigned short>(std::atoi(url.substr(url.rfind(':') + 1).c_str()));
}

struct ServerOverTls {
    TestCertificate certificate{"localhost"};
    LoopbackServer server{[](const auto &, auto &connection) { connection.answer(200, "there"); },
                          &certificate.context()};
    Request request(const std::string &proxy) {
        Request request = post(server.url("/secret?path", "localhost"), "row");
        request.headers.emplace_back("Authorization", "Bearer t");
        request.ca_file = certificate.file();
        request.proxy = proxy;
        return request;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(proxies)

BOOST_AUTO_TEST_CASE(https_goes_through_a_tunnel_that_sees_nothing_of_it) {
    ServerOverTls tls;
    TunnelProxy proxy("HTTP/1.1 200 Established\r\n\r\n", port_of(tls.server));
    CurlTransport transport;
    for (int i = 0; i < 3; i++)
        BOOST_TEST(exchange(transport, tls.request(proxy.url())).body == "there");
    BOOST_TEST(tls.server.requests() == 3);
    BOOST_TEST(tls.server.connections() == 1);
    BOOST_TEST(proxy.asked().starts_with("CONNECT localhost:"));
    BOOST_TEST(proxy.asked().find("secret") == std::string::npos);
    BOOST_TEST(proxy.asked().find("Bearer") == std::string::npos);
    // What went through it is not for those who go without, nor the other way round.
    BOOST_TEST(exchange(transport, tls.request("none")).body == "there");
    BOOST_TEST(tls.server.connections() == 2);
}

/// Nothing of the request has left then: even a create may be sent again.
BOOST_AUTO_TEST_CASE(a_tunnel_that_is_refused) {
    ServerOverTls tls;
    for (const char *answer : {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
                               "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", ""}) {
        TunnelProxy proxy(answer, 0);
        const Response response = exchange(tls.request(proxy.url()));
        BOOST_TEST((response.failure == Failure::not_connected), answer << response.failure_text);
        BOOST_TEST(response.failure_text.find("secret") == std::string::npos);
    }
    BOOST_TEST(tls.server.requests() == 0);
}

BOOST_AUTO_TEST_CASE(it_holds_whatever_the_environment_says) {
    ServerOverTls tls;
    TunnelProxy of_environment("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 0);
    setenv("https_proxy", of_environment.url().c_str(), 1);
    BOOST_TEST((exchange(tls.request("")).failure == Failure::not_connected));
    BOOST_TEST(exchange(tls.request("none")).body == "there");
    unsetenv("https_proxy");
    setenv("no_proxy", "*", 1);
    BOOST_TEST((exchange(tls.request(of_environment.url())).failure == Failure::not_connected));
    unsetenv("no_proxy");
}

BOOST_AUTO_TEST_CASE(what_an_option_may_say) {
    for (const char *right : {"none", "http://proxy:3128", "https://proxy.example.com", "socks5h://10.0.0.1:1080"})
        BOOST_TEST(is_proxy(right), right);
    for (const char *wrong : {"", "proxy:3128", "ftp://proxy", "http://", "http:///x", "http://user:secret@proxy:3128",
                              "http://proxy/path", "http://proxy?x", "http://pro xy", "socks5://proxy", "file:///etc"})
        BOOST_TEST(!is_proxy(wrong), wrong);
}

BOOST_AUTO_TEST_SUITE_END()
