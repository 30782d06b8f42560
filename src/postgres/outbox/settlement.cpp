#include "postgres/outbox/settlement.h"

#include "postgres/border/attempt.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace reverse_etl {

namespace {

/// So many transactions in a row may be about one destination: the others have outcomes, too.
constexpr int most_transactions = 100;
/// So often is tried again what has run out, before it is taken for an outcome's own fault.
constexpr int most_shortages = 5;
/// How long the outcomes of a sync that is locked are put off the first time, and at most.
constexpr Milliseconds shortest_put_off{100}, longest_put_off{5'000};

using Kind = Settlement::Kind;

/// What every encoding has.
std::string printable(std::string text) {
    for (char &c : text)
        if (c != '\n' && (c < ' ' || c > '~'))
            c = '?';
    return text;
}

void count_in(Outbox::Counts &counts, Kind kind) {
    switch (kind) {
    case Kind::accepted:
        counts.accepted++;
        break;
    case Kind::absent:
        counts.absent++;
        break;
    case Kind::replaced:
        counts.replaced++;
        break;
    case Kind::rejected:
        counts.rejected++;
        break;
    case Kind::cancelled:
    case Kind::deferred:
        break;
    }
}

std::string why(const Settlement::Outcome &outcome, const Error &error) {
    switch (outcome.kind) {
    case Kind::rejected:
    case Kind::deferred:
        return outcome.words->reason;
    case Kind::cancelled:
        return std::string("its run was cancelled, and that could not be written down: ") + error.what();
    default:
        return std::string("the destination took the row, but that could not be written down: ") + error.what();
    }
}

} // namespace

void Settlement::add(Outcome outcome) {
    auto of_sync = outcome.kind == Kind::deferred ? put_off_.end() : put_off_.find(outcome.sync);
    (of_sync != put_off_.end() ? of_sync->second.outcomes : outcomes_).push_back(std::move(outcome));
}

void Settlement::write(const std::deque<Outcome> &outcomes, std::size_t count) const {
    std::vector<Outbox::SettledRow> gone;
    std::vector<Outbox::RowToReject> rejected;
    std::vector<Outbox::DeferredRow> deferred;
    std::map<std::int64_t, Outbox::Counts> counts;
    SyncOutcomes of_syncs;
    for (std::size_t i = 0; i < count; i++) {
        const Outcome &one = outcomes[i];
        if (one.kind == Kind::deferred) {
            deferred.push_back(
                {one.id, one.table, one.place, one.words->attempts, one.words->pause_ms, one.words->reason});
            continue;
        }
        if (one.kind == Kind::rejected)
            rejected.push_back({one.id, one.table, one.place, one.words->reason, one.words->status});
        else
            gone.push_back({one.id, one.table, one.place});
        if (one.push != 0 && one.kind != Kind::cancelled)
            count_in(counts[one.push], one.kind);
        of_syncs.add(one.sync, static_cast<std::uint64_t>(one.id), one.of_sync, one.in_doubt);
    }
    if (!gone.empty())
        outbox_.remove(gone);
    if (!rejected.empty())
        outbox_.reject(name_, rejected);
    of_syncs.settle();
    if (!counts.empty())
        Outbox::count(counts);
    if (!deferred.empty())
        outbox_.defer(deferred);
}

void Settlement::forget(std::size_t count) {
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + static_cast<std::ptrdiff_t>(count));
    if (!outcomes_.empty())
        return;
    health_.forget_changes();
    if (!put_off_.empty())
        return;
    requests_.forget_changes();
    jobs_.forget_changes();
}

void Settlement::settle(const std::string &name) {
    name_ = name;
    for (int i = 0; i < most_transactions && !is_written() && !health_.is_held(Clock::now()); i++)
        settle_next();
    settle_put_off();
    if (put_off_.empty() && !is_written() && !health_.is_held(Clock::now()))
        settle_next();
}

void Settlement::settle_next() {
    std::size_t count = std::min(at_once_, outcomes_.size());
    std::optional<Error> failure = attempt([&] {
        write(outcomes_, count);
        if (count < outcomes_.size())
            return;
        health_.store();
        // A request has ended when all its rows have: not before what they became is written.
        if (!put_off_.empty())
            return;
        requests_.store();
        jobs_.store();
    });
    if (!failure) {
        forget(count);
        at_once_ = std::min(2 * at_once_, most_at_once);
        health_.release();
        return;
    }
    if (failure->sqlstate == ERRCODE_LOCK_NOT_AVAILABLE && put_off_syncs())
        return;
    bool is_shortage = ERRCODE_TO_CATEGORY(failure->sqlstate) == ERRCODE_INSUFFICIENT_RESOURCES;
    if (count == 0 || (may_pass(*failure) && !(is_shortage && health_.holds() >= most_shortages)))
        hold(*failure);
    else if (count > 1)
        at_once_ = count / 2;
    else
        set_aside(*failure);
}

/// Each sync's outcomes are tried for themselves; whether there are any.
bool Settlement::put_off_syncs() {
    std::deque<Outcome> others;
    for (Outcome &one : outcomes_) {
        bool may_wait = one.sync != 0 && one.kind != Kind::deferred;
        (may_wait ? put_off_[one.sync].outcomes : others).push_back(std::move(one));
    }
    bool any = others.size() < outcomes_.size();
    outcomes_ = std::move(others);
    return any;
}

void Settlement::settle_put_off() {
    for (auto entry = put_off_.begin(); entry != put_off_.end();) {
        PostponedSync &put_off = entry->second;
        if (put_off.until > Clock::now()) {
            ++entry;
            continue;
        }
        std::optional<Error> failure = attempt([&] { write(put_off.outcomes, put_off.outcomes.size()); });
        if (failure && failure->sqlstate == ERRCODE_LOCK_NOT_AVAILABLE) {
            put_off.until =
                Clock::now() + std::min(longest_put_off, shortest_put_off * (1 << std::min(put_off.times++, 10)));
            ++entry;
            continue;
        }
        // What fails for another reason is looked at one by one.
        if (failure)
            std::move(put_off.outcomes.begin(), put_off.outcomes.end(), std::back_inserter(outcomes_));
        entry = put_off_.erase(entry);
    }
}

Clock::time_point Settlement::put_off_until() const {
    Clock::time_point next = Clock::time_point::max();
    for (const auto &[sync, put_off] : put_off_)
        next = std::min(next, put_off.until);
    return next;
}

/// The first outcome, which fails alone. What a destination says may be in no encoding of this database; what else has
/// to learn of it may have been changed by hand, and then the row alone is seen to.
void Settlement::set_aside(const Error &error) {
    const Outcome &first = outcomes_.front();
    std::string reason = why(first, error);
    using Write = void (Settlement::*)(const std::string &) const;
    std::vector<std::pair<Write, std::string>> ways;
    if (first.kind == Kind::deferred)
        ways = {{&Settlement::defer_first, printable(reason)}};
    else
        ways = {{&Settlement::reject_first, reason},
                {&Settlement::reject_first, printable(reason)},
                {&Settlement::move_first, printable(reason)}};
    for (const auto &[write, words] : ways) {
        std::optional<Error> failure = attempt([&, write = write, &words = words] { (this->*write)(words); });
        if (!failure) {
            outcomes_.pop_front();
            return;
        }
        bool is_last = &words == &ways.back().second;
        if (is_last || may_pass(*failure)) {
            hold(*failure);
            return;
        }
    }
}

void Settlement::defer_first(const std::string &reason) const {
    const Outcome &first = outcomes_.front();
    outbox_.defer({{first.id, first.table, first.place, first.words->attempts, first.words->pause_ms, reason}});
}

/// The row is kept among the rejected ones; its sync and its push learn what became of it.
void Settlement::reject_first(const std::string &reason) const {
    const Outcome &first = outcomes_.front();
    move_first(reason);
    SyncOutcomes of_sync;
    of_sync.add(first.sync, static_cast<std::uint64_t>(first.id), first.of_sync, first.in_doubt);
    of_sync.settle();
    Outbox::Counts counts;
    count_in(counts, first.kind);
    Outbox::count({{first.push, counts}});
}

void Settlement::move_first(const std::string &reason) const {
    const Outcome &first = outcomes_.front();
    outbox_.reject(
        name_, {{first.id, first.table, first.place, reason, first.kind == Kind::rejected ? first.words->status : 0}});
}

void Settlement::hold(const Error &error) {
    health_.hold(error, "outcomes of its rows cannot be written down");
    std::string reason = error.what();
    pg_call(
        [&] { ereport(LOG, (errmsg("outcomes of rows for \"%s\" could not be written down: %s", name_, reason))); });
    // Everyone may be told, where at least that can be written.
    if (health_.has_changes() && !attempt([&] { health_.store(); }))
        health_.forget_changes();
}

} // namespace reverse_etl
