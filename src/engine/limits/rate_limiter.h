#pragma once

#include "engine/limits/limit_bucket.h"

#include <map>
#include <memory>
#include <vector>

namespace reverse_etl {

/// An answer to the question whether a request may go.
struct Permission {
    bool given = false;
    Clock::time_point again{}; ///< if not: when to ask again
    /// If not: whether it was only for want of a place among those under way, which may be free earlier.
    bool for_a_place = false;
    /// If so: the places that it takes among those under way. They are given back when the last copy is gone.
    std::shared_ptr<const void> places;
};

/// Keeps requests within limits: those that are published, those that the destination's answers tell, and the pace that
/// it turns out to bear. This one counts for this process; another may keep its buckets where other processes see them.
class RateLimiter {
  public:
    RateLimiter() = default;
    virtual ~RateLimiter() = default;
    RateLimiter(const RateLimiter &) = delete;
    RateLimiter &operator=(const RateLimiter &) = delete;

    /// Asks for one request that counts against all of `limits`, and counts it if it may go. One step: nobody else's
    /// request comes between the asking and the counting.
    Permission acquire(const std::vector<RateLimit> &limits, Clock::time_point now);

    /// The destination asked for quiet: nothing that counts against these goes before `until`.
    void hold(const std::vector<RateLimit> &limits, Clock::time_point until, Clock::time_point now);

    /// The destination said where the account stands.
    void learn(const RateLimit &limit, const Announcement &announcement, Clock::time_point now);

    /// How many requests of the operation may be under way, of `most` that the option permits.
    int permitted(const BucketKey &operation, int most, Clock::time_point now);
    /// What its answers say about that, see Pace.
    void answered(const BucketKey &operation, int most, Clock::time_point began, std::optional<Clock::duration> took,
                  Clock::time_point now);
    void declined(const BucketKey &operation, int most, Clock::time_point began, Clock::time_point now);

    /// Gives back every place that requests of this process hold: it ends.
    void give_back_all(Clock::time_point now);

  protected:
    /// The bucket of that name; a new one if there is none. It stays where it is until unlock().
    virtual LimitBucket &bucket(const BucketKey &key, Clock::time_point now);
    bool has_own(const BucketKey &key) const { return buckets_.contains(key); }
    /// Around all that is done with buckets.
    virtual void lock() {}
    virtual void unlock() {}
    /// Who we are among those who share the buckets; not 0.
    virtual int self() const { return 1; }
    /// A place is free for a process that waits for one.
    virtual void wake(int) {}

  private:
    class Locked;

    std::shared_ptr<const void> places(const std::vector<RateLimit> &limits);
    void give_back(const BucketKey &key, Clock::time_point now);
    void forget_unused(Clock::time_point now);

    std::map<BucketKey, LimitBucket> buckets_;
    std::size_t forget_at_ = 64;       ///< the number of buckets that makes it worth looking for unused ones
    std::map<BucketKey, int> holding_; ///< places that requests of this process hold
};

} // namespace reverse_etl
