#pragma once

#include "engine/transport.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace reverse_etl {

/// A published limit: so many requests in any window of so many seconds. No requests: nothing is published.
struct RateLimit {
    std::string bucket; ///< names the account and the limit, e.g. "16423/10/burst"
    int requests = 0;
    std::chrono::seconds window{1};
};

/// Keeps requests within the published limits, in this process. A window that slides: a request may go as soon as
/// fewer than `requests` of its bucket went in the last `window`. Of large limits it remembers groups of requests, not
/// each one: a request may then wait a little longer than it had to, never shorter.
class RateLimiter {
  public:
    /// When a request that counts against all of `limits` may go: now, or later.
    Clock::time_point earliest(const std::vector<RateLimit> &limits, Clock::time_point now);

    /// Notes that such a request goes now.
    void note(const std::vector<RateLimit> &limits, Clock::time_point now);

    /// The destination asked for quiet: nothing of the bucket goes before `until`.
    void hold(const std::string &bucket, Clock::time_point until);

  private:
    /// Requests that went close together, and so leave the window together.
    struct Group {
        Clock::time_point first;
        Clock::time_point last;
        int requests;
    };

    struct Bucket {
        std::deque<Group> groups; ///< oldest first
        int requests = 0;         ///< in all groups
        Clock::duration window{};
        Clock::time_point held_until{};

        void forget_before(Clock::time_point now);
        bool unused(Clock::time_point now) const;
        Clock::time_point earliest(int limit, Clock::time_point now) const;
        void note(const RateLimit &limit, Clock::time_point now);
    };

    void forget_unused(Clock::time_point now);

    std::map<std::string, Bucket> buckets_;
    std::size_t forget_at_ = 64; ///< the number of buckets that makes it worth looking for unused ones
};

} // namespace reverse_etl
