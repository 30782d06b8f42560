#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl::sandbox {

constexpr std::size_t body_limit = 64 << 20;

struct Header {
    std::string name;
    std::string value;
};

struct Request {
    std::string_view method;
    std::string_view target; // path and query as they came
    std::string_view path;
    std::string_view query;
    std::string_view body; // followed by the padding that the JSON parser wants
    std::vector<Header> headers;
    std::vector<std::string> parameters; // what the route's {} stand for, percent-decoded
    std::int64_t now_ms = 0;
    std::int64_t received_us = 0; // since 1970, when all of it was there

    std::string_view header(std::string_view name) const; // names compare without case; empty when absent
};

struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<Header> headers;
    std::string body;

    // The body keeps its memory from one answer to the next.
    void clear();
    void set(int code, std::string_view json);
};

// How an answer reaches the client, or does not.
struct Delivery {
    enum class How { whole, reset, truncated, stalled, huge } how = How::whole;
    int latency_ms = 0;
    std::uint64_t huge_bytes = 0;
};

} // namespace reverse_etl::sandbox
