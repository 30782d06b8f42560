#pragma once

#include "postgres/outbox/destination_health.h"
#include "postgres/outbox/outbox.h"
#include "postgres/outbox/requests.h"
#include "postgres/outbox/sync_outcomes.h"

#include <deque>
#include <memory>
#include <string>

namespace reverse_etl {

/// What is to be written down of one destination's rows. It is kept until the transaction that writes it has committed.
/// Where one fails, fewer outcomes are tried at a time, until the one at fault stands alone: its row is set aside among
/// the rejected ones, in a form that can be stored. Where not even that can be written the destination is held, and
/// others go on.
class Settlement {
  public:
    Settlement(Oid destination, Outbox &outbox, OutboxRequests &requests, DestinationHealth &health)
        : destination_(destination), outbox_(outbox), requests_(requests), health_(health) {}

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
    void add(Outcome outcome) { outcomes_.push_back(std::move(outcome)); }

    std::size_t size() const { return outcomes_.size(); }
    bool is_empty() const { return outcomes_.empty() && !requests_.has_changes() && !health_.has_changes(); }

    /// Writes all of it, in transactions of its own. `name`: the destination's. What is left is to be tried again when
    /// the destination is not held any more.
    void settle(const std::string &name);

  private:
    void settle_next();
    void write(std::size_t count) const;
    void forget(std::size_t count);
    void set_aside(const Error &error);
    void defer_first(const std::string &reason) const;
    void reject_first(const std::string &reason) const;
    void move_first(const std::string &reason) const;
    void hold(const Error &error);

    Oid destination_;
    Outbox &outbox_;
    OutboxRequests &requests_;
    DestinationHealth &health_;
    std::string name_;
    std::deque<Outcome> outcomes_;
    std::size_t at_once_ = most_at_once; ///< in one transaction
    static constexpr std::size_t most_at_once = 100'000;
};

} // namespace reverse_etl
