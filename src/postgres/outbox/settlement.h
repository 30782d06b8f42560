#pragma once

#include "postgres/outbox/destination_health.h"
#include "postgres/outbox/jobs.h"
#include "postgres/outbox/outbox.h"
#include "postgres/outbox/requests.h"
#include "postgres/outbox/sync_outcomes.h"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace reverse_etl {

/// What is to be written down of one destination's rows. It is kept until the transaction that writes it has committed.
/// Where one fails, fewer outcomes are tried at a time, until the one at fault stands alone: its row is set aside among
/// the rejected ones, in a form that can be stored. Where not even that can be written the destination is held, and
/// others go on. Of a sync that somebody has locked the outcomes are put off: the destination's other rows are none of
/// its owner's.
class Settlement {
  public:
    Settlement(Oid destination, Outbox &outbox, OutboxRequests &requests, OutboxJobs &jobs, DestinationHealth &health)
        : destination_(destination), outbox_(outbox), requests_(requests), jobs_(jobs), health_(health) {}

    enum class Kind { accepted, absent, replaced, cancelled, rejected, deferred };
    struct Words {
        std::string reason; ///< "" for none
        long status = 0;
        std::int64_t attempts = 0, pause_ms = 0; ///< of a row that was deferred
    };
    struct Outcome {
        Kind kind;
        std::int64_t id;
        std::int64_t push;
        int table;
        std::uint64_t place;
        std::int32_t sync;
        SyncOutcomes::Outcome of_sync; ///< what its sync learns
        bool in_doubt;
        std::unique_ptr<Words> words;
    };
    void add(Outcome outcome);

    std::size_t size() const { return outcomes_.size(); }
    bool is_empty() const { return is_written() && put_off_.empty() && !has_ended_requests(); }
    /// But for what was put off.
    bool is_written() const {
        return outcomes_.empty() && !health_.has_changes() && (!has_ended_requests() || !put_off_.empty());
    }
    /// Requests and jobs have ended, and that is not written: what became of some of their rows is not either.
    bool has_ended_requests() const { return requests_.has_changes() || jobs_.has_changes(); }

    bool has_put_off(std::int32_t sync) const { return put_off_.contains(sync); }
    template <class Use>
    void for_each_put_off(Use &&use) const {
        for (const auto &[sync, put_off] : put_off_)
            for (const Outcome &outcome : put_off.outcomes)
                use(static_cast<std::uint64_t>(outcome.id));
    }
    /// When that is tried again; the end of time if there is nothing.
    Clock::time_point put_off_until() const;

    /// Writes all of it, in transactions of its own. `name`: the destination's. What is left is to be tried again when
    /// the destination is not held any more.
    void settle(const std::string &name);

  private:
    /// Of a sync: in the order in which they came.
    struct PostponedSync {
        std::deque<Outcome> outcomes;
        Clock::time_point until{};
        int times = 0;
    };

    void settle_next();
    void write(const std::deque<Outcome> &outcomes, std::size_t count) const;
    bool put_off_syncs();
    void settle_put_off();
    void forget(std::size_t count);
    void set_aside(const Error &error);
    void defer_first(const std::string &reason) const;
    void reject_first(const std::string &reason) const;
    void move_first(const std::string &reason) const;
    void hold(const Error &error);

    Oid destination_;
    Outbox &outbox_;
    OutboxRequests &requests_;
    OutboxJobs &jobs_;
    DestinationHealth &health_;
    std::string name_;
    std::deque<Outcome> outcomes_;
    std::map<std::int32_t, PostponedSync> put_off_;
    std::size_t at_once_ = most_at_once; ///< in one transaction
    static constexpr std::size_t most_at_once = 100'000;
};

} // namespace reverse_etl
