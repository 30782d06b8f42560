#include "engine/limits/rate_limiter.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Whoever waits for a place is called when one is free. In case the call is lost, he asks again after this time.
constexpr Milliseconds place_asked_again{100};

} // namespace

class RateLimiter::Locked {
  public:
    explicit Locked(RateLimiter &limiter) : limiter_(limiter) { limiter_.lock(); }
    ~Locked() { limiter_.unlock(); }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

  private:
    RateLimiter &limiter_;
};

Permission RateLimiter::acquire(const std::vector<RateLimit> &limits, Clock::time_point now) {
    Permission permission;
    {
        const Locked locked(*this);
        // Places last, so that nobody is next in line who could not go anyway.
        for (const RateLimit &limit : limits) {
            LimitBucket &counted = bucket(limit.bucket, now);
            if (Clock::time_point free = counted.free_at(limit, now); free > now)
                permission.again = std::max(permission.again, counted.call_at(limit, free));
        }
        if (permission.again > now)
            return permission;
        for (const RateLimit &limit : limits)
            permission.for_a_place |= !bucket(limit.bucket, now).has_place(limit, self(), now);
        if (permission.for_a_place) {
            permission.again = now + place_asked_again;
            return permission;
        }
        for (const RateLimit &limit : limits)
            bucket(limit.bucket, now).take(limit, self(), now);
        permission.given = true;
    }
    permission.places = places(limits);
    forget_unused(now);
    return permission;
}

void RateLimiter::hold(const std::vector<RateLimit> &limits, Clock::time_point until, Clock::time_point now) {
    const Locked locked(*this);
    for (const RateLimit &limit : limits)
        bucket(limit.bucket, now).hold(std::min(until, now + longest_hold));
}

void RateLimiter::learn(const RateLimit &limit, const Announcement &announcement, Clock::time_point now) {
    const Locked locked(*this);
    bucket(limit.bucket, now).learn(limit, announcement, now);
}

int RateLimiter::permitted(const BucketKey &operation, int most, Clock::time_point now) {
    const Locked locked(*this);
    return bucket(operation, now).pace(now).permitted(most);
}

void RateLimiter::answered(const BucketKey &operation, int most, Clock::time_point began,
                           std::optional<Clock::duration> took, Clock::time_point now) {
    const Locked locked(*this);
    bucket(operation, now).pace(now).answered(most, began, took, now);
}

void RateLimiter::declined(const BucketKey &operation, int most, Clock::time_point began, Clock::time_point now) {
    const Locked locked(*this);
    bucket(operation, now).pace(now).declined(most, began, now);
}

void RateLimiter::give_back_all(Clock::time_point now) {
    const Locked locked(*this);
    for (const auto &[key, places] : holding_)
        for (int process : bucket(key, now).give_back(places))
            wake(process);
    holding_.clear();
}

LimitBucket &RateLimiter::bucket(const BucketKey &key, Clock::time_point now) {
    auto [found, is_new] = buckets_.try_emplace(key);
    if (is_new)
        found->second.begin(key);
    found->second.touch(now);
    return found->second;
}

/// Who shares the buckets may be gone when the last copy is: then give_back_all() has left nothing to give back.
std::shared_ptr<const void> RateLimiter::places(const std::vector<RateLimit> &limits) {
    std::vector<BucketKey> taken;
    for (const RateLimit &limit : limits)
        if (limit.concurrent > 0)
            taken.push_back(limit.bucket);
    if (taken.empty())
        return nullptr;
    for (const BucketKey &key : taken)
        ++holding_[key];
    return {this, [this, taken = std::move(taken)](const void *) {
                for (const BucketKey &key : taken)
                    give_back(key, Clock::now());
            }};
}

void RateLimiter::give_back(const BucketKey &key, Clock::time_point now) {
    auto found = holding_.find(key);
    if (found == holding_.end())
        return;
    if (--found->second == 0)
        holding_.erase(found);
    const Locked locked(*this);
    for (int process : bucket(key, now).give_back(1))
        wake(process);
}

void RateLimiter::forget_unused(Clock::time_point now) {
    if (buckets_.size() < forget_at_)
        return;
    std::erase_if(buckets_, [now](const auto &entry) { return entry.second.unused(now); });
    forget_at_ = std::max<std::size_t>(64, 2 * buckets_.size());
}

} // namespace reverse_etl
