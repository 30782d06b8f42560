#pragma once

#include "engine/http/transport.h"
#include "engine/limits/announcement.h"
#include "engine/limits/pace.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace reverse_etl {

/// Names a bucket: a digest of the account, the limit and what it is kept for. Nothing can be read from it, since it
/// stands where all processes of the cluster look.
using BucketKey = std::array<std::uint64_t, 2>;
BucketKey bucket_key(std::string_view name);

/// A limit that a request counts against. Without `requests` and `concurrent` nothing is published, and only the
/// destination's own word (hold, learn) keeps a request back.
struct RateLimit {
    BucketKey bucket{};
    int requests = 0;         ///< in any window; 0: any number. Or what else is counted: rows, points
    Clock::duration window{}; ///< how long that is
    int concurrent = 0;       ///< under way at once; 0: any number
    int cost = 1;             ///< so many this request takes of `requests`
    bool operator==(const RateLimit &) const = default;
};

/// The longest that a destination's word keeps requests back. Then one goes and asks again.
constexpr std::chrono::minutes longest_hold{15};

/// What is known of one limit of one account: the requests of the last window, those under way, what the destination
/// said. It is flat and of one size, and all zeros is an empty one, so that it can stand in shared memory.
///
/// The window slides: a request may go as soon as fewer than its limit went in the last window. Limits of up to some
/// hundred requests are kept to the request. Of larger ones groups of requests are remembered: a request may then wait
/// a little longer than it had to, never shorter.
///
/// Where requests wait for a window of a second or two, they go at even distances: they take that long on their way,
/// and those that left together in one second and late in the one before would arrive together.
class LimitBucket {
  public:
    const BucketKey &key() const { return key_; }
    /// Makes it an empty bucket of that name.
    void begin(const BucketKey &key);
    /// Whether nothing would be lost if it began anew.
    bool unused(Clock::time_point now) const { return in_flight_ == 0 && kept_until_ < now; }
    /// Someone looks at it now.
    void touch(Clock::time_point now) { keep(now); }

    /// When a request may go as far as the window and holds permit: now, or later.
    Clock::time_point free_at(const RateLimit &limit, Clock::time_point now);
    /// When to ask again, for a request that may go at `free` at the earliest. Those who wait are called one after the
    /// other, faster than places become free, but not all at once.
    Clock::time_point call_at(const RateLimit &limit, Clock::time_point free);

    /// Whether a place is free for one more request under way. Who is refused stands in line for a while: else a
    /// process that sends without a pause would never let another in.
    bool has_place(const RateLimit &limit, int process, Clock::time_point now);

    /// A request of the process goes.
    void take(const RateLimit &limit, int process, Clock::time_point now);

    /// Requests ended that took places. Answers which processes in the line may now go.
    std::span<const int> give_back(int places);

    void hold(Clock::time_point until);
    void learn(const RateLimit &limit, const Announcement &announcement, Clock::time_point now);

    Pace &pace(Clock::time_point now);

  private:
    static constexpr int most_groups = 128;
    static constexpr int longest_line = 16; ///< who finds it full asks again later

    /// Requests that went close together, and so leave the window together.
    struct Group {
        Clock::time_point last;
        int requests;
    };

    Group &group(int i) { return groups_[(first_group_ + i) % most_groups]; }
    void forget_before(Clock::time_point now);
    void count(const RateLimit &limit, Clock::time_point now);
    void correct(int difference, int most);
    bool is_spaced(const RateLimit &limit, Clock::time_point now) const;
    Clock::time_point when_fewer_by(int requests);
    void leave_line(int position);
    int most(const RateLimit &limit) const { return announced_limit_ > 0 ? announced_limit_ : limit.requests; }
    /// One that takes more than all goes when nothing else counts.
    int cost(const RateLimit &limit) const { return std::min(limit.cost, most(limit)); }
    void keep(Clock::time_point until) { kept_until_ = std::max(kept_until_, until); }

    BucketKey key_;
    Clock::time_point kept_until_; ///< something here matters until then

    std::array<Group, most_groups> groups_; ///< a ring
    int first_group_, group_count_;
    int requests_; ///< in all groups
    Clock::time_point newest_began_;
    Clock::duration window_;
    Clock::time_point last_call_;
    Clock::time_point spaced_until_, next_slot_; ///< requests go at even distances until then

    Clock::time_point held_until_;
    int announced_limit_;            ///< 0: none
    int others_;                     ///< requests that the destination counts and we did not make
    Clock::time_point others_until_; ///< when it forgets them

    int in_flight_, concurrent_;
    std::array<int, longest_line> line_; ///< processes that wait for a place
    std::array<Clock::time_point, longest_line> in_line_until_;
    int line_length_;

    Pace pace_;
};

} // namespace reverse_etl
