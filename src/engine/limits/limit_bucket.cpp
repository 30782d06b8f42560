#include "engine/limits/limit_bucket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace reverse_etl {

namespace {

/// A window is cut into so many groups at most, with some to spare for those that leave and come.
constexpr int groups_a_window = 124;

/// Those who wait are called no further apart than this, and within this time.
constexpr Milliseconds longest_call_interval{20};
constexpr std::chrono::seconds longest_queue{1};

/// Limits with longer windows need no even distances: a statement would wait for what may go at once.
constexpr std::chrono::seconds longest_spaced_window{2};
/// Slots that were missed, since who waited came late, are made up for, so many at most.
constexpr int most_missed_slots = 3;

/// So long a place is kept for one who stands in line. He asks more often, unless he went away.
constexpr Milliseconds patience{250};

/// What was learnt of a destination's pace is kept so long after the last answer.
constexpr std::chrono::minutes pace_memory{15};

} // namespace

BucketKey bucket_key(std::string_view name) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(name.data(), name.size(), digest, nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not to be had");
    BucketKey key;
    std::memcpy(key.data(), digest, sizeof(key));
    return key;
}

void LimitBucket::begin(const BucketKey &key) {
    *this = LimitBucket();
    key_ = key;
}

Clock::time_point LimitBucket::free_at(const RateLimit &limit, Clock::time_point now) {
    forget_before(now);
    Clock::time_point free = std::max(now, held_until_);
    if (limit.requests == 0)
        return free;
    int too_many = requests_ - most(limit) + cost(limit);
    Clock::time_point room = when_fewer_by(too_many);
    // Either enough of ours leave the window while the others' count, or the others' are forgotten.
    if (now < others_until_ && others_ > 0)
        room = std::min(when_fewer_by(too_many + others_), std::max(room, others_until_));
    free = std::max(free, room);
    return is_spaced(limit, now) ? std::max(free, next_slot_) : free;
}

bool LimitBucket::is_spaced(const RateLimit &limit, Clock::time_point now) const {
    return limit.window <= longest_spaced_window && now < spaced_until_;
}

Clock::time_point LimitBucket::call_at(const RateLimit &limit, Clock::time_point free) {
    Clock::duration interval = longest_call_interval;
    if (limit.requests > 0)
        interval = std::min(interval, limit.window / most(limit) / 2);
    // Someone has to wait: until a window has passed without that, nobody goes together with others.
    spaced_until_ = free + limit.window;
    last_call_ = std::max(free, last_call_ + interval);
    if (last_call_ > free + longest_queue)
        last_call_ = free;
    return last_call_;
}

bool LimitBucket::has_place(const RateLimit &limit, int process, Clock::time_point now) {
    if (limit.concurrent == 0)
        return true;
    for (int i = line_length_ - 1; i >= 0; --i)
        if (in_line_until_[i] < now)
            leave_line(i);
    int ahead = static_cast<int>(std::find(line_.begin(), line_.begin() + line_length_, process) - line_.begin());
    if (in_flight_ + ahead < limit.concurrent)
        return true;
    if (ahead == line_length_ && line_length_ < longest_line)
        line_[line_length_++] = process;
    if (ahead < line_length_)
        in_line_until_[ahead] = now + patience;
    return false;
}

void LimitBucket::take(const RateLimit &limit, int process, Clock::time_point now) {
    if (limit.requests > 0) {
        count(limit, now);
        Clock::duration slot = limit.window / most(limit) * cost(limit);
        next_slot_ = std::max(next_slot_, now - most_missed_slots * slot) + slot;
    }
    if (limit.concurrent == 0)
        return;
    concurrent_ = limit.concurrent;
    ++in_flight_;
    for (int i = line_length_ - 1; i >= 0; --i)
        if (line_[i] == process)
            leave_line(i);
}

std::span<const int> LimitBucket::give_back(int places) {
    in_flight_ = std::max(0, in_flight_ - places);
    int free = std::max(0, concurrent_ - in_flight_);
    return {line_.data(), static_cast<std::size_t>(std::min(free, line_length_))};
}

void LimitBucket::hold(Clock::time_point until) {
    held_until_ = std::max(held_until_, until);
    keep(until);
}

void LimitBucket::learn(const RateLimit &limit, const Announcement &announcement, Clock::time_point now) {
    forget_before(now);
    if (announcement.limit.value_or(0) > 0)
        announced_limit_ = *announcement.limit;
    if (announcement.cost)
        correct(std::clamp(*announcement.cost, 0, most(limit)) - cost(limit), most(limit));
    if (!announcement.used && !announcement.remaining)
        return;
    int all = most(limit);
    int used =
        std::clamp(announcement.remaining ? all - std::max(0, *announcement.remaining) : *announcement.used, 0, all);
    others_ = std::max(0, used - requests_);
    Clock::duration counted = std::min<Clock::duration>(limit.window, longest_hold);
    others_until_ = now + (announcement.reset ? std::min<Clock::duration>(counted, *announcement.reset) : counted);
    keep(others_until_);
    // What ours explain leaves the window by itself. Else someone else used the limit up, and it is over until then.
    if (used == all && others_ > 0)
        hold(others_until_);
}

Pace &LimitBucket::pace(Clock::time_point now) {
    keep(now + pace_memory);
    return pace_;
}

void LimitBucket::forget_before(Clock::time_point now) {
    while (group_count_ > 0 && group(0).last + window_ <= now) {
        requests_ -= group(0).requests;
        first_group_ = (first_group_ + 1) % most_groups;
        --group_count_;
    }
}

void LimitBucket::count(const RateLimit &limit, Clock::time_point now) {
    window_ = limit.window;
    requests_ += cost(limit);
    // Another process may have noted a later time already.
    if (group_count_ > 0)
        now = std::max(now, group(group_count_ - 1).last);
    bool grouped = most(limit) > groups_a_window && now - newest_began_ < window_ / groups_a_window;
    if (group_count_ > 0 && (grouped || group_count_ == most_groups)) {
        group(group_count_ - 1).last = now;
        group(group_count_ - 1).requests += cost(limit);
    } else {
        group(group_count_++) = {now, cost(limit)};
        newest_began_ = now;
    }
    keep(now + window_);
}

/// A request took more or less than it was counted for: that goes to the newest ones, and what has left the window is
/// over.
void LimitBucket::correct(int difference, int most) {
    // Whatever the destination says: that more than all is used up need not be known.
    if (difference > 0)
        difference = std::min(difference, std::max(0, most - requests_));
    for (int i = group_count_ - 1; i >= 0 && difference != 0; --i) {
        const int change = std::max(difference, -group(i).requests);
        group(i).requests += change;
        requests_ += change;
        difference -= change;
    }
}

void LimitBucket::leave_line(int position) {
    std::copy(line_.begin() + position + 1, line_.begin() + line_length_, line_.begin() + position);
    std::copy(in_line_until_.begin() + position + 1, in_line_until_.begin() + line_length_,
              in_line_until_.begin() + position);
    --line_length_;
}

/// When so many requests have left the window.
Clock::time_point LimitBucket::when_fewer_by(int requests) {
    Clock::time_point when{};
    for (int i = 0; requests > 0 && i < group_count_; ++i) {
        requests -= group(i).requests;
        when = group(i).last + window_;
    }
    return requests > 0 ? Clock::time_point::max() : when;
}

} // namespace reverse_etl
