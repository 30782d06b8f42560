#pragma once

#include "engine/transport.h"

#include <map>
#include <string>
#include <vector>

namespace reverse_etl {

/// A published limit: so many requests in any window of so many seconds.
struct RateLimit {
    std::string bucket; ///< names the account and the limit, e.g. "16423/10/burst"
    int requests = 0;
    std::chrono::seconds window{1};
};

/// Keeps requests within the published limits, in this process. A window that slides: a request may go as soon as
/// fewer than `requests` of its bucket went in the last `window`.
class RateLimiter {
  public:
    /// When a request that counts against all of `limits` may go: now, or later.
    Clock::time_point earliest(const std::vector<RateLimit> &limits, Clock::time_point now);

    /// Notes that such a request goes now.
    void note(const std::vector<RateLimit> &limits, Clock::time_point now);

    /// The destination asked for quiet: nothing of the bucket goes before `until`.
    void hold(const std::string &bucket, Clock::time_point until);
};

} // namespace reverse_etl
