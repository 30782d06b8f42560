#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"

namespace reverse_etl::sandbox {

// What a vendor says in its own words and headers when it cannot serve.
enum class Failure { rate_limited, unavailable, broken };

// What may happen to a request. The probabilities share one draw, so their sum is at most 1.
enum class Fault {
    none,
    too_many,
    unavailable,
    broken,
    reset,
    truncate,
    stall,
    huge,
    html,
    gzip_bomb,
    redirect,
    answer
};

struct FaultRule {
    std::string path;        // only requests whose target contains this
    std::string body;        // and whose body contains this
    std::int64_t times = -1; // only so many of them; negative: all
    int latency_ms = 0;
    std::vector<std::pair<Fault, double>> chances;
    bool reset_after_apply = false;
    bool html_after_apply = false;
    int html_status = 502;
    std::uint64_t huge_bytes = 100'000'000;
    std::string retry_after;              // Retry-After as given
    std::int64_t retry_after_date_s = -1; // or as a date so many seconds ahead
    int interval_ms = 200;                // the window that HubSpot's headers announce
    std::string redirect_to;
    std::string answer; // as it is, but {authorization} is what the request's header says
    int answer_status = 200;
    std::string answer_type = "application/json";
    bool has_answer = false;

    std::string retry_after_header(std::int64_t now_ms) const; // empty: none
};

struct Faults {
    std::vector<FaultRule> rules; // the first that fits a request holds for it
    bool discard = false;         // answer, but keep only counts
    bool gzip = false;            // compress answers for clients that take it
    std::mt19937_64 random;

    // `rule` is set to the rule that holds, or to a quiet one.
    Fault draw(std::string_view target, std::string_view body, FaultRule &rule);
};

Faults faults_from(std::string_view compact_json);

std::string gzip_compressed(std::string_view text);
const std::string &gzip_bomb(); // 200 MB of zeros

} // namespace reverse_etl::sandbox
