#pragma once

#include "received.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace reverse_etl {

/// An HTTP server on 127.0.0.1 that answers as a test tells it to, well or badly. One thread a connection.
class LoopbackServer {
  public:
    /// What a script can do with the connection that a request came on.
    class Connection {
      public:
        virtual ~Connection() = default;

        /// A whole answer, with its Content-Length. `fields` are lines that end with CR LF.
        void answer(int status, std::string_view body = {}, std::string_view fields = {});

        /// Bytes as they are.
        virtual void send(std::string_view bytes) = 0;

        /// Holds the connection open and silent until the client or the test is gone.
        virtual void stall() = 0;

        /// Ends the connection in good order.
        virtual void close() = 0;

        /// Breaks the connection: the client gets "connection reset by peer".
        virtual void reset() = 0;
    };

    using Script = std::function<void(const Received &, Connection &)>;

    /// With a TLS context it speaks https.
    explicit LoopbackServer(Script script, boost::asio::ssl::context *tls = nullptr);
    ~LoopbackServer();

    LoopbackServer(const LoopbackServer &) = delete;
    LoopbackServer &operator=(const LoopbackServer &) = delete;

    int port() const;
    std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const;

    /// From now on nobody can connect; the connections there are stay.
    void stop_listening();

    int connections() const;
    int requests() const;

  private:
    class Listener;
    std::unique_ptr<Listener> listener_;
};

/// A port on which nobody listens.
int closed_port();

} // namespace reverse_etl
