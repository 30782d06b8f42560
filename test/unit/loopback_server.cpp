#include "loopback_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace reverse_etl {
namespace {

using boost::asio::ip::tcp;
using TlsStream = boost::asio::ssl::stream<tcp::socket>;

/// A connection that requests are read from.
class ReadConnection : public LoopbackServer::Connection {
  public:
    /// The next request: none once the client is gone.
    virtual std::optional<Received> receive() = 0;

    void stall() override {
        char byte;
        while (::recv(socket().native_handle(), &byte, 1, 0) > 0)
            ;
    }

    void close() override { ::shutdown(socket().native_handle(), SHUT_RDWR); }

    void reset() override {
        socket().set_option(boost::asio::socket_base::linger(true, 0));
        socket().close();
    }

  protected:
    virtual tcp::socket &socket() = 0;
};

template <typename Stream>
class ConnectionOver : public ReadConnection {
  public:
    explicit ConnectionOver(Stream stream) : stream_(std::move(stream)) {}

    void send(std::string_view bytes) override {
        boost::system::error_code ignored;
        boost::asio::write(stream_, boost::asio::buffer(bytes), ignored);
    }

    std::optional<Received> receive() override {
        if (!handshake())
            return std::nullopt;
        boost::system::error_code error;
        boost::beast::http::request<boost::beast::http::string_body> request;
        boost::beast::http::read(stream_, buffer_, request, error);
        if (error)
            return std::nullopt;
        Received received{std::string(request.method_string()),
                          std::string(request.target()),
                          std::move(request.body()),
                          Clock::now(),
                          {}};
        for (const auto &field : request)
            received.headers.emplace_back(field.name_string(), field.value());
        return received;
    }

  protected:
    tcp::socket &socket() override {
        if constexpr (is_tls)
            return stream_.next_layer();
        else
            return stream_;
    }

  private:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;

    bool handshake() {
        boost::system::error_code error;
        if constexpr (is_tls) {
            if (!std::exchange(shaken_, true))
                stream_.handshake(boost::asio::ssl::stream_base::server, error);
        }
        return !error;
    }

    Stream stream_;
    bool shaken_ = false;
    boost::beast::flat_buffer buffer_;
};

} // namespace

class LoopbackServer::Listener {
  public:
    Listener(Script script, boost::asio::ssl::context *tls)
        : script_(std::move(script)), tls_(tls), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
          accepting_([this] { accept(); }) {}

    ~Listener() {
        stopping_ = true;
        stop();
        accepting_.join();
        for (const auto &connection : connections_)
            connection->close();
        for (auto &thread : threads_)
            thread.join();
    }

    void stop() { ::shutdown(acceptor_.native_handle(), SHUT_RDWR); }

    int port() const { return acceptor_.local_endpoint().port(); }
    bool speaks_tls() const { return tls_ != nullptr; }
    int connections() const { return connection_count_; }
    int requests() const { return request_count_; }

  private:
    std::unique_ptr<ReadConnection> connection_over(tcp::socket socket) {
        if (tls_)
            return std::make_unique<ConnectionOver<TlsStream>>(TlsStream(std::move(socket), *tls_));
        return std::make_unique<ConnectionOver<tcp::socket>>(std::move(socket));
    }

    void accept() {
        for (;;) {
            boost::system::error_code error;
            auto socket = acceptor_.accept(error);
            if (error || stopping_)
                return;
            ++connection_count_;
            connections_.push_back(connection_over(std::move(socket)));
            threads_.emplace_back([this, connection = connections_.back().get()] { serve(*connection); });
        }
    }

    void serve(ReadConnection &connection) {
        while (!stopping_) {
            const auto request = connection.receive();
            if (!request)
                break;
            ++request_count_;
            script_(*request, connection);
        }
        connection.close();
    }

    Script script_;
    boost::asio::ssl::context *tls_;
    boost::asio::io_context io_;
    tcp::acceptor acceptor_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> connection_count_ = 0;
    std::atomic<int> request_count_ = 0;
    std::vector<std::unique_ptr<ReadConnection>> connections_; ///< of the accepting thread, until that has ended
    std::vector<std::thread> threads_;
    std::thread accepting_;
};

void LoopbackServer::Connection::answer(int status, std::string_view body, std::string_view fields) {
    send("HTTP/1.1 " + std::to_string(status) + " Scripted\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

LoopbackServer::LoopbackServer(Script script, boost::asio::ssl::context *tls)
    : listener_(std::make_unique<Listener>(std::move(script), tls)) {}

LoopbackServer::~LoopbackServer() = default;

int LoopbackServer::port() const {
    return listener_->port();
}

std::string LoopbackServer::url(std::string_view path, std::string_view host) const {
    return (listener_->speaks_tls() ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port()) +
           std::string(path);
}

void LoopbackServer::stop_listening() {
    listener_->stop();
}

int LoopbackServer::connections() const {
    return listener_->connections();
}

int LoopbackServer::requests() const {
    return listener_->requests();
}

int closed_port() {
    boost::asio::io_context io;
    tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
    return acceptor.local_endpoint().port();
}

} // namespace reverse_etl
