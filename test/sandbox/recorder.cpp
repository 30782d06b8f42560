#include "recorder.h"

#include "json.h"
#include "text.h"

namespace reverse_etl::sandbox {

namespace {

constexpr std::size_t most_entries = 1000;
constexpr std::size_t most_bytes = 16 << 20;

} // namespace

void Recorder::add(const Request &request, const Answer &answer) {
    if (!on)
        return;
    entries_.push_back({std::string(request.method), std::string(request.target), std::string(request.body),
                        request.received_us, request.headers, answer.status, answer.body,
                        answer.content_type.starts_with("application/json") && !answer.body.empty()});
    bytes_ += entries_.back().bytes();
    while (entries_.size() > most_entries || bytes_ > most_bytes) {
        bytes_ -= entries_.front().bytes();
        entries_.pop_front();
    }
}

void Recorder::clear() {
    entries_.clear();
    bytes_ = 0;
}

void Recorder::write_last(std::size_t count, std::string &out) const {
    out += '[';
    std::size_t from = entries_.size() > count ? entries_.size() - count : 0;
    for (std::size_t at = from; at < entries_.size(); ++at) {
        if (at > from)
            out += ',';
        write(entries_[at], out);
    }
    out += ']';
}

void Recorder::write_lines(std::string &out) const {
    for (const Entry &entry : entries_) {
        write(entry, out);
        out += '\n';
    }
}

void Recorder::write(const Entry &entry, std::string &out) {
    out += "{\"method\":";
    append_quoted(out, entry.method);
    out += ",\"path\":";
    append_quoted(out, entry.target);
    out += ",\"received_us\":";
    append_number(out, entry.received_us);
    out += ",\"headers\":{";
    for (std::size_t at = 0; at < entry.headers.size(); ++at) {
        if (at > 0)
            out += ',';
        append_quoted(out, lower(entry.headers[at].name));
        out += ':';
        append_quoted(out, entry.headers[at].value);
    }
    out += '}';
    if (!entry.body.empty()) {
        out += ",\"body\":";
        append_quoted(out, entry.body);
    }
    out += ",\"status\":";
    append_number(out, entry.status);
    if (!entry.response.empty()) {
        out += ",\"response\":";
        if (entry.response_is_json)
            out += entry.response;
        else
            append_quoted(out, entry.response);
    }
    out += '}';
}

} // namespace reverse_etl::sandbox
