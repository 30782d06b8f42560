#pragma once

#include "engine/delivery.h"
#include "engine/json_row.h"
#include "engine/key_lookup.h"
#include "engine/key_queue.h"
#include "postgres/activity.h"
#include "postgres/push_plan.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// What rows have in common that can share requests: the operation, whose rights and credentials they leave with, and
/// the columns, by name.
struct LaneKey {
    std::string operation;
    Oid role = InvalidOid;
    std::vector<std::string> names; ///< those of the row, then those of the key
    std::size_t of_row = 0;
    bool of_sync = false; ///< a NULL is to clear what the destination has, as in an UPDATE

    auto operator<=>(const LaneKey &) const = default;
};

/// Sends rows of the outbox that can share requests, by the same line as a statement's rows. Rows that are named by
/// their key where the destination wants its id are looked up first; they are under way all the while.
class Lane {
  public:
    /// Throws an Error that says why such rows cannot be sent; call where the catalog can be read. `identity`: unique
    /// to the database, for idempotency keys.
    Lane(std::shared_ptr<const Destination> destination, const LaneKey &key, KeyQueue &rows, OutcomeSink &sink,
         const std::string &identity);

    /// Makes a batch of the rows that come next. Rows that cannot be sent are rejected at once.
    std::vector<Batch> make_batches(int lane, Clock::time_point now);
    void submit(std::vector<Batch> batches);

    Clock::time_point start_ready();
    bool take(const Finished &finished);
    std::deque<std::unique_ptr<Job>> withdraw();

    /// What is seen and counted of its rows.
    Activity &activity() { return activity_; }

    /// `noted`: batches that are about to be submitted.
    bool has_room(std::size_t noted) const { return jobs() + noted < policy_.max_in_flight; }
    std::size_t jobs() const;
    std::size_t jobs_in_flight() const;
    /// A request that was cut short cannot simply be made again.
    bool needs_marks() const { return !operation_.spec().idempotent; }
    /// But the same request can.
    bool has_idempotency_key() const { return !operation_.spec().idempotency_header.empty(); }

  private:
    /// The look-up of ids by key.
    struct Lookup {
        Lookup(Lane &lane, const DestinationColumn &key);

        CompiledOperation operation;
        RowWriter writer;
        Dispatcher dispatcher;
        KeyLookup lookup;
        Batch found; ///< rows that wait until it is full, or nothing is being looked up any more
    };

    bool write(std::uint64_t number, std::string_view row, std::string_view key, RowWriter &writer, Batch &batch);
    void check_numbers() const;
    std::optional<Batch> cut(Batch &batch, const CompiledOperation &operation);
    void found(std::uint64_t number, const std::string &id);
    void submit_found(Batch batch);

    std::shared_ptr<const Destination> destination_;
    CompiledOperation operation_;
    RowWriter writer_;
    KeyQueue &rows_;
    OutcomeSink &sink_;
    std::shared_ptr<Authenticator> authenticator_;
    Policy policy_;
    Activity activity_;
    JsonRow values_;
    std::set<std::string> numbers_; ///< the columns, by name, whose values are never words
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<Delivery> delivery_;
    std::unique_ptr<Lookup> lookup_; ///< none where the operation takes the rows' keys
};

} // namespace reverse_etl
