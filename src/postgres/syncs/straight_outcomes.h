#pragma once

#include "engine/world/clock.h"
#include "postgres/audit_log/rejected_rows.h"
#include "postgres/outbox/outbox.h"
#include "postgres/syncs/key_rows.h"
#include "postgres/syncs/row_store.h"

#include <map>
#include <memory>
#include <vector>

namespace reverse_etl {

/// What became of a row of a burst.
struct StraightOutcome {
    enum class Kind { none, accepted, absent, rejected } kind = Kind::none;
    bool in_doubt = false;   ///< it was not accepted, and may have arrived all the same
    bool is_written = false; ///< in the state, and counted
    int attempts = 0;        ///< that failed, and count
};

/// Writes down what becomes of the rows of a run that leave straight from it. Each call belongs into a transaction,
/// with an open connection to SPI.
class StraightOutcomes {
  public:
    StraightOutcomes(const SyncDefinition &sync, std::int64_t run) : sync_(sync), run_(run) {}
    ~StraightOutcomes();
    StraightOutcomes(const StraightOutcomes &) = delete;
    StraightOutcomes &operator=(const StraightOutcomes &) = delete;

    /// Moves the state and counts, for the outcomes that are there and not written. `rejected`: those rows by their
    /// way, each with its number in the run. `ends`: the others will have none. New keys may be written some seconds
    /// later, and are counted then.
    void settle(const RowStore &store, const std::vector<StraightRow> &rows, std::vector<StraightOutcome> &outcomes,
                const std::vector<std::vector<RejectedRow>> &rejected, bool ends);

    /// Writes down what was left for later. Once more before the rows that are left go elsewhere, or the run ends.
    void write_postponed();

    /// Notes which keys are about to be sent, before any of them is: after a crash nobody else knows. In place of those
    /// that were noted before. Rows are not noted that have an outcome, or that come again by themselves whatever it
    /// is.
    void note_sent(const std::vector<StraightRow> &rows, const std::vector<StraightOutcome> &outcomes) const;

    /// A process has ended in the middle of it. What the destination has under the keys that were noted nobody knows,
    /// so the state does not say either, and they are sent or removed again.
    void doubt_sent() const;

  private:
    struct Counts {
        std::map<std::int64_t, Outbox::Counts> pushes;
        std::int64_t added = 0, changed = 0, removed = 0, rejected = 0, absent = 0;

        void add(std::int64_t of_push, SyncRow::Change change, StraightOutcome::Kind kind);
    };

    void write_state(const std::vector<StraightRow> &rows, const std::vector<StraightOutcome> &outcomes);
    bool is_postponed(const StraightRow &row, const StraightOutcome &outcome) const;
    void postpone(const StraightRow &row);
    void forget_postponed();
    void write_new(const KeyRows &rows) const;
    void write_failures(const RowStore &store, const std::vector<StraightRow> &rows,
                        const std::vector<StraightOutcome> &outcomes,
                        const std::vector<std::vector<RejectedRow>> &rejected) const;
    void count(const Counts &counts) const;
    void name_absent(const std::vector<StraightRow> &rows, const std::vector<StraightOutcome> &outcomes) const;

    const SyncDefinition &sync_;
    std::int64_t run_;
    MemoryContext postponed_context_ = nullptr;
    std::unique_ptr<KeyRows> postponed_; ///< new keys that are accepted, and not yet in the state
    Counts postponed_counts_;
    Clock::time_point postponed_since_{};
};

} // namespace reverse_etl
