#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "faults.h"
#include "json.h"
#include "recorder.h"
#include "store.h"

namespace reverse_etl::sandbox {

// What a test may ask for that is no fault.
struct Settings {
    std::size_t hubspot_rate_max = 190; // that its headers announce
    std::optional<std::size_t> hubspot_rate_remaining;
    std::size_t salesforce_page_size = 2000;
    bool slack_channel_rate = false; // one message a second and channel
    Header http_credentials;         // the header that /http/ asks for; no name: none
};

struct Stats {
    std::uint64_t requests = 0;
    std::uint64_t connections = 0; // that carried a request to a vendor
    std::uint64_t open_connections = 0;
    std::uint64_t rows = 0; // accepted
    std::uint64_t bytes = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t in_flight_max = 0;
    std::deque<std::chrono::steady_clock::time_point> last_second; // when its requests came
    std::uint64_t in_a_second_max = 0;
    std::map<int, std::uint64_t> status;
    std::int64_t last_us = 0;   // when the last request had come, since 1970
    std::uint64_t repeated = 0; // requests to /http/ whose idempotency key was there before
};

struct SalesforceTokens {
    std::set<std::string, std::less<>> issued;
    bool plain_expired = false;       // "token-..." no longer accepted either
    std::int64_t requests_left = -1;  // until all expire; negative: they do not
    std::uint64_t count = 0;          // ever issued
    std::vector<std::string> queries; // that have further pages
};

struct SlackChannels {
    std::map<std::string, std::int64_t, std::less<>> last_message_ms;
    std::int64_t last_ts_us = 0;
};

// All that the server knows. One lock guards it: handlers run one at a time.
struct World {
    Store store;
    Stats stats;
    Faults faults;
    Recorder recorder;
    Settings settings;
    SalesforceTokens salesforce_tokens;
    SlackChannels slack_channels;
    std::map<std::string, std::vector<std::string>, std::less<>> hubspot_properties; // that were made, by object
    std::vector<std::string> hubspot_schemas;
    std::map<std::string, std::string, std::less<>>
        http_repeats; // bodies that /http/ took, by path and idempotency key
    JsonBody json;    // its buffers are reused from request to request
    std::string base_url;
};

} // namespace reverse_etl::sandbox
