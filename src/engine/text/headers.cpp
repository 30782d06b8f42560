#include "engine/text/headers.h"

#include "engine/text/lower_case.h"

#include <algorithm>

namespace reverse_etl {

namespace {

Headers::const_iterator find(const Headers &headers, std::string_view name) {
    return std::find_if(headers.begin(), headers.end(),
                        [lower = lower_case(name)](const auto &header) { return lower_case(header.first) == lower; });
}

} // namespace

bool is_token(std::string_view text) {
    static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != marks.npos;
    });
}

bool breaks_a_header(std::string_view value) {
    return value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos;
}

bool frames_a_message(std::string_view name) {
    // RFC 9110 sections 7, 8.4, 10.1 and 12.5.3, RFC 9112 section 6, RFC 7540 section 3.2.1
    static constexpr std::string_view names[] = {
        "accept-encoding", "connection", "content-encoding",  "content-length", "expect", "host", "http2-settings",
        "keep-alive",      "te",         "transfer-encoding", "trailer",        "upgrade"};
    const std::string lower = lower_case(name);
    return lower.starts_with("proxy-") || std::find(std::begin(names), std::end(names), lower) != std::end(names);
}

void set_header(Headers &headers, std::string_view name, std::string_view value) {
    if (auto found = find(headers, name); found != headers.end())
        headers.erase(found);
    headers.emplace_back(name, value);
}

bool has_header(const Headers &headers, std::string_view name) {
    return find(headers, name) != headers.end();
}

} // namespace reverse_etl
