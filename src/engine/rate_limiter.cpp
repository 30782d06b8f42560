#include "engine/rate_limiter.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// A limit of up to so many requests is kept to the request; a larger one in so many groups a window.
constexpr int groups_a_window = 256;

} // namespace

Clock::time_point RateLimiter::earliest(const std::vector<RateLimit> &limits, Clock::time_point now) {
    Clock::time_point result = now;
    for (const RateLimit &limit : limits) {
        const auto found = buckets_.find(limit.bucket);
        if (found == buckets_.end())
            continue;
        found->second.forget_before(now);
        result = std::max(result, found->second.earliest(limit.requests, now));
    }
    return result;
}

void RateLimiter::note(const std::vector<RateLimit> &limits, Clock::time_point now) {
    for (const RateLimit &limit : limits) {
        Bucket &bucket = buckets_[limit.bucket];
        bucket.forget_before(now);
        bucket.note(limit, now);
    }
    if (buckets_.size() >= forget_at_)
        forget_unused(now);
}

void RateLimiter::hold(const std::string &bucket, Clock::time_point until) {
    Clock::time_point &held_until = buckets_[bucket].held_until;
    held_until = std::max(held_until, until);
}

void RateLimiter::forget_unused(Clock::time_point now) {
    std::erase_if(buckets_, [now](const auto &entry) { return entry.second.unused(now); });
    forget_at_ = std::max<std::size_t>(64, 2 * buckets_.size());
}

void RateLimiter::Bucket::forget_before(Clock::time_point now) {
    while (!groups.empty() && groups.front().last + window <= now) {
        requests -= groups.front().requests;
        groups.pop_front();
    }
}

bool RateLimiter::Bucket::unused(Clock::time_point now) const {
    return held_until <= now && (groups.empty() || groups.back().last + window <= now);
}

Clock::time_point RateLimiter::Bucket::earliest(int limit, Clock::time_point now) const {
    Clock::time_point result = std::max(now, held_until);
    int too_many = limit > 0 ? requests - limit + 1 : 0;
    for (auto group = groups.begin(); too_many > 0 && group != groups.end(); ++group) {
        too_many -= group->requests;
        result = std::max(result, group->last + window);
    }
    return result;
}

void RateLimiter::Bucket::note(const RateLimit &limit, Clock::time_point now) {
    window = limit.window;
    ++requests;
    if (limit.requests > groups_a_window && !groups.empty() && now - groups.back().first < window / groups_a_window) {
        groups.back().last = now;
        ++groups.back().requests;
    } else {
        groups.push_back({now, now, 1});
    }
}

} // namespace reverse_etl
