#include "server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <simdjson.h>
#include <thread>

#include "text.h"

namespace reverse_etl::sandbox {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Failed = boost::system::error_code;

std::string_view reason_of(int status) {
    return {http::obsolete_reason(static_cast<http::status>(status)).data(),
            http::obsolete_reason(static_cast<http::status>(status)).size()};
}

// One connection: read a request, serve it, deliver the answer, again.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(tcp::socket socket, Service &service)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), service_(service) {
        buffer_.reserve(1 << 16); // Beast reads no more at a time than fits
    }

    ~Connection() {
        leave_flight();
        if (counted_)
            service_.closed();
    }

    void start() {
        Failed ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        read_head();
    }

  private:
    void read_head() {
        parser_.emplace();
        parser_->body_limit(body_limit);
        parser_->get().body() = std::move(body_);
        parser_->get().body().clear();
        http::async_read_header(socket_, buffer_, *parser_, [self = shared_from_this()](Failed error, std::size_t) {
            if (error == http::error::body_limit)
                self->refuse_size();
            else if (!error)
                self->read_body();
        });
    }

    void read_body() {
        boost::beast::string_view target = parser_->get().target();
        if (service_.begin({target.data(), target.size()}, !counted_))
            in_flight_ = counted_ = true;
        if (boost::beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
            static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            Failed ignored;
            asio::write(socket_, asio::buffer(go_on), ignored); // 25 bytes into an empty socket buffer: never waits
        }
        if (auto length = parser_->content_length())
            parser_->get().body().reserve(std::min<std::size_t>(*length, body_limit) + simdjson::SIMDJSON_PADDING);
        http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](Failed error, std::size_t) {
            if (error == http::error::body_limit)
                self->refuse_size();
            else if (!error)
                self->serve();
        });
    }

    void serve() {
        body_ = std::move(parser_->get().body());
        body_.reserve(body_.size() + simdjson::SIMDJSON_PADDING);
        keep_alive_ = parser_->keep_alive();
        fill_request();
        Delivery delivery = service_.serve(request_, answer_);
        if (delivery.latency_ms == 0) {
            deliver(delivery);
            return;
        }
        timer_.expires_after(std::chrono::milliseconds(delivery.latency_ms));
        timer_.async_wait([self = shared_from_this(), delivery](Failed) { self->deliver(delivery); });
    }

    void fill_request() {
        auto text = [](boost::beast::string_view view) { return std::string_view(view.data(), view.size()); };
        auto &message = parser_->get();
        request_.method = text(message.method_string());
        request_.target = text(message.target());
        std::size_t question = std::min(request_.target.find('?'), request_.target.size());
        request_.path = request_.target.substr(0, question);
        request_.query = request_.target.substr(std::min(question + 1, request_.target.size()));
        request_.body = body_;
        request_.headers.clear();
        for (const auto &field : message)
            request_.headers.push_back({std::string(text(field.name_string())), std::string(text(field.value()))});
    }

    void deliver(const Delivery &delivery) {
        switch (delivery.how) {
        case Delivery::How::whole:
            write_head(answer_.body.size());
            write(answer_.body, true);
            break;
        case Delivery::How::truncated:
            keep_alive_ = false;
            write_head(answer_.body.size() + 1000);
            write(std::string_view(answer_.body).substr(0, (answer_.body.size() + 1) / 2), true);
            break;
        case Delivery::How::huge:
            keep_alive_ = false;
            write_head(delivery.huge_bytes);
            write_huge(delivery.huge_bytes);
            break;
        case Delivery::How::reset:
            reset();
            break;
        case Delivery::How::stalled:
            wait_for_close();
            break;
        }
    }

    void refuse_size() {
        keep_alive_ = false;
        answer_.clear();
        answer_.set(413, R"({"error":"the body is over 64 MB"})");
        deliver({});
    }

    void write_head(std::uint64_t length) {
        head_ = "HTTP/1.1 ";
        append_number(head_, answer_.status);
        head_.append(" ").append(reason_of(answer_.status)).append("\r\n");
        auto add = [this](std::string_view name, std::string_view value) {
            head_.append(name).append(": ").append(value).append("\r\n");
        };
        add("Date", http_date(request_.now_ms));
        if (length > 0)
            add("Content-Type", answer_.content_type);
        if (answer_.status != 204)
            add("Content-Length", std::to_string(length));
        for (const Header &header : answer_.headers)
            add(header.name, header.value);
        if (!keep_alive_)
            add("Connection", "close");
        head_ += "\r\n";
    }

    void write(std::string_view body, bool last) {
        std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(body.data(), body.size())};
        asio::async_write(socket_, buffers, [self = shared_from_this(), last](Failed error, std::size_t) {
            if (!error && last)
                self->finish();
        });
    }

    void write_huge(std::uint64_t left) {
        static const std::string filler(1 << 16, 'x');
        std::string_view piece = std::string_view(filler).substr(0, left);
        std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(piece.data(), piece.size())};
        asio::async_write(socket_, buffers,
                          [self = shared_from_this(), left = left - piece.size()](Failed error, std::size_t) {
                              self->head_.clear();
                              if (!error && left > 0)
                                  self->write_huge(left);
                              else if (!error)
                                  self->finish();
                          });
    }

    void finish() {
        leave_flight();
        Failed ignored;
        if (keep_alive_)
            read_head();
        else
            socket_.shutdown(tcp::socket::shutdown_send, ignored), wait_for_close();
    }

    void reset() {
        Failed ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

    // Reads and forgets, until the client goes.
    void wait_for_close() {
        buffer_.consume(buffer_.size());
        socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](Failed error, std::size_t) {
            if (!error)
                self->wait_for_close();
        });
    }

    void leave_flight() {
        if (std::exchange(in_flight_, false))
            service_.end();
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    Service &service_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::string body_; // goes in and out of the parser and so keeps its memory
    std::string head_;
    Request request_;
    Answer answer_;
    bool keep_alive_ = true;
    bool counted_ = false;
    bool in_flight_ = false;
};

void accept_next(tcp::acceptor &acceptor, asio::io_context &context, Service &service) {
    acceptor.async_accept(asio::make_strand(context), [&](Failed error, tcp::socket socket) {
        if (!error)
            std::make_shared<Connection>(std::move(socket), service)->start();
        if (acceptor.is_open())
            accept_next(acceptor, context, service);
    });
}

// Readers see the whole file or none.
void write_port(const std::string &path, std::uint16_t port) {
    std::string temporary = path + ".new";
    std::ofstream(temporary) << port << '\n';
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        throw std::runtime_error("cannot write " + path);
}

} // namespace

void run_server(Service &service, std::uint16_t port, const std::string &port_file, int threads) {
    asio::io_context context(threads);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
    port = acceptor.local_endpoint().port();
    service.set_base_url("http://127.0.0.1:" + std::to_string(port));
    accept_next(acceptor, context, service);

    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([](Failed, int) { std::_Exit(0); }); // nothing to save, and open connections must not hold it up

    if (!port_file.empty())
        write_port(port_file, port);
    std::cout << "sandbox listens on http://127.0.0.1:" << port << std::endl;

    std::vector<std::jthread> others;
    for (int at = 1; at < threads; ++at)
        others.emplace_back([&] { context.run(); });
    context.run();
}

} // namespace reverse_etl::sandbox
