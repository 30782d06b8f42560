#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "http.h"

namespace reverse_etl::sandbox {

// The last requests and their answers, within bounds.
class Recorder {
  public:
    bool on = true;

    void add(const Request &request, const Answer &answer);
    void clear();

    // {"method","path","received_us","headers","body","status","response"}, one object a request.
    void write_last(std::size_t count, std::string &out) const; // a JSON array
    void write_lines(std::string &out) const;

  private:
    struct Entry {
        std::string method, target, body;
        std::int64_t received_us;
        std::vector<Header> headers;
        int status;
        std::string response;
        bool response_is_json;

        std::size_t bytes() const { return target.size() + body.size() + response.size() + 512; }
    };
    static void write(const Entry &entry, std::string &out);

    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
};

} // namespace reverse_etl::sandbox
