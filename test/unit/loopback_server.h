#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace reverse_etl {

/// An HTTP server on 127.0.0.1 that answers as a test tells it to, well or badly. One thread a connection.
class LoopbackServer {
  public:
    using Request = boost::beast::http::request<boost::beast::http::string_body>;

    /// What a script can do with the connection that a request came on.
    class Connection {
      public:
        virtual ~Connection() = default;

        /// A whole answer, with its Content-Length. `fields` are lines that end with CR LF.
        void answer(int status, std::string_view body = {}, std::string_view fields = {}) {
            send("HTTP/1.1 " + std::to_string(status) + " Scripted\r\n" + std::string(fields) +
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
        }

        /// Bytes as they are.
        virtual void send(std::string_view bytes) = 0;

        /// Holds the connection open and silent until the client or the test is gone.
        void stall() {
            char byte;
            while (::recv(socket().native_handle(), &byte, 1, 0) > 0)
                ;
        }

        /// Ends the connection in good order.
        void close() { ::shutdown(socket().native_handle(), SHUT_RDWR); }

        /// Breaks the connection: the client gets "connection reset by peer".
        void reset() {
            socket().set_option(boost::asio::socket_base::linger(true, 0));
            socket().close();
        }

      protected:
        friend class LoopbackServer;
        virtual boost::asio::ip::tcp::socket &socket() = 0;
        virtual bool receive(Request &request) = 0;
    };

    using Script = std::function<void(const Request &, Connection &)>;

    /// With a TLS context it speaks https.
    explicit LoopbackServer(Script script, boost::asio::ssl::context *tls = nullptr)
        : script_(std::move(script)), tls_(tls), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
          accepting_([this] { accept(); }) {}

    ~LoopbackServer() {
        stopping_ = true;
        stop_listening();
        accepting_.join();
        for (const auto &connection : connections_)
            connection->close();
        for (auto &thread : threads_)
            thread.join();
    }

    LoopbackServer(const LoopbackServer &) = delete;
    LoopbackServer &operator=(const LoopbackServer &) = delete;

    int port() const { return acceptor_.local_endpoint().port(); }

    std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const {
        return (tls_ ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port()) + std::string(path);
    }

    /// From now on nobody can connect; the connections there are stay.
    void stop_listening() { ::shutdown(acceptor_.native_handle(), SHUT_RDWR); }

    int connections() const { return connection_count_; }
    int requests() const { return request_count_; }

  private:
    template <typename Stream>
    class ConnectionOver : public Connection {
      public:
        explicit ConnectionOver(Stream stream) : stream_(std::move(stream)) {}

        void send(std::string_view bytes) override {
            boost::system::error_code ignored;
            boost::asio::write(stream_, boost::asio::buffer(bytes), ignored);
        }

        bool receive(Request &request) override {
            if (!handshake())
                return false;
            boost::system::error_code error;
            request = {};
            boost::beast::http::read(stream_, buffer_, request, error);
            return !error;
        }

        boost::asio::ip::tcp::socket &socket() override {
            if constexpr (is_tls)
                return stream_.next_layer();
            else
                return stream_;
        }

      private:
        static constexpr bool is_tls = !std::is_same_v<Stream, boost::asio::ip::tcp::socket>;

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

    std::unique_ptr<Connection> connection_over(boost::asio::ip::tcp::socket socket) {
        using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
        if (tls_)
            return std::make_unique<ConnectionOver<TlsStream>>(TlsStream(std::move(socket), *tls_));
        return std::make_unique<ConnectionOver<boost::asio::ip::tcp::socket>>(std::move(socket));
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

    void serve(Connection &connection) {
        Request request;
        while (!stopping_ && connection.receive(request)) {
            ++request_count_;
            script_(request, connection);
        }
        connection.close();
    }

    Script script_;
    boost::asio::ssl::context *tls_;
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> connection_count_ = 0;
    std::atomic<int> request_count_ = 0;
    std::vector<std::unique_ptr<Connection>> connections_; ///< of the accepting thread, until that has ended
    std::vector<std::thread> threads_;
    std::thread accepting_;
};

} // namespace reverse_etl
