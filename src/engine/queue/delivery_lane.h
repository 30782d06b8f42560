#pragma once

#include "engine/queue/key_queue.h"
#include "engine/requests/delivery.h"
#include "engine/requests/json_row.h"
#include "engine/requests/key_lookup.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// What rows have in common that can share requests: the operation, whose
/// rights and credentials they leave with, and the columns, by name.
struct LaneKey {
    std::string operation;
    std::uint32_t role = 0;
    std::vector<std::string> names; ///< those of the row, then those of the key
    std::size_t of_row = 0;
    bool of_sync = false; ///< a NULL is to clear what the destination has, as in an UPDATE

    auto operator<=>(const LaneKey &) const = default;
};

/// How the rows of a lane are sent.
struct Route {
    std::shared_ptr<const Object> object; ///< what the operations were compiled from
    CompiledOperation operation;
    NullAs null_as;
    std::optional<CompiledOperation> lookup; ///< finds the ids of rows that are named by their key; for most,
                                             ///< none
    std::shared_ptr<Authenticator> authenticator;
    Policy policy;
    std::set<std::string> numbers{}; ///< the columns, by name, whose values are never words
};

/// What is seen and counted of a lane's rows.
class LaneObserver : public RequestObserver {
  public:
    /// The first of its requests, and the last, for a while.
    virtual void begin() = 0;
    virtual void end() = 0;
    virtual void seen(std::uint64_t rows) = 0;
    virtual void accepted() = 0;
    virtual void rejected() = 0;
};

/// What the lanes of a process share.
struct Surroundings {
    Transport &transport;
    Waiter &waiter;
    RateLimiter &limiter;
};

/// Sends rows of the outbox that can share requests, by the same line as a
/// statement's rows. Rows that are named by their key where the destination
/// wants its id are looked up first; they are under way all the while.
class DeliveryLane {
  public:
    DeliveryLane(Route route, const Surroundings &around, KeyQueue &rows, OutcomeSink &sink,
                 std::unique_ptr<LaneObserver> observer);

    /// Makes a batch of the rows that come next, or one of each group where they are grouped. Rows that cannot be sent
    /// are rejected at once. `probing`: whether the destination is only tried out.
    std::vector<Batch> make_batches(int lane, Clock::time_point now, bool probing);
    void submit(std::vector<Batch> batches);

    /// Starts what may start now; answers when more may. What needs marks is held.
    Clock::time_point start_ready();
    /// Requests that have to be noted before they are made: then they are to be started, or withdrawn.
    const std::vector<StartableJob> &held() const { return dispatcher_.held(); }
    void start_held() { dispatcher_.start_held(); }
    bool take(const Finished &finished);
    std::deque<std::unique_ptr<Job>> withdraw();

    LaneObserver &observer() { return *observer_; }

    bool has_room() const { return jobs() < route_.policy.max_in_flight; }
    std::size_t jobs() const;
    std::size_t jobs_in_flight() const;
    /// A request that was cut short cannot simply be made again.
    bool needs_marks() const { return !route_.operation.spec().idempotent; }
    /// But the same request can.
    bool has_idempotency_key() const { return route_.operation.spec().has_idempotency_key(); }

  private:
    /// The look-up of ids by key.
    struct Lookup {
        Lookup(DeliveryLane &lane, const Surroundings &around);

        RowWriter writer;
        Dispatcher dispatcher;
        KeyLookup lookup;
        Batch found; ///< rows that wait until it is full, or nothing is being
                     ///< looked up any more
    };

    std::vector<Batch> make_batch(int lane, Clock::time_point now, bool probing);
    std::vector<Batch> make_groups(int lane, Clock::time_point now, bool probing);
    std::size_t most_together(const QueuedRow &row, bool probing) const;
    bool write(std::uint64_t number, std::string_view row, std::string_view key, RowWriter &writer, Batch &batch);
    void check_numbers() const;
    std::optional<Batch> cut(Batch &batch, const CompiledOperation &operation);
    void found(std::uint64_t number, const std::string &id);
    void submit_found(Batch batch);

    const Route route_;
    RowWriter writer_;
    KeyQueue &rows_;
    OutcomeSink &sink_;
    std::unique_ptr<LaneObserver> observer_;
    JsonRow values_;
    Dispatcher dispatcher_;
    Delivery delivery_;
    std::unique_ptr<Lookup> lookup_; ///< none where the operation takes the rows' keys
};

} // namespace reverse_etl
