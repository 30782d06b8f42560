#pragma once

#include "postgres/outbox/enqueue.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/rows.h"

#include <memory>
#include <optional>

namespace reverse_etl {

/// Queues the rows of a run in the outbox, and keeps beside them what the state becomes when they are accepted.
class SyncOutbox final : public SyncSink {
  public:
    /// `run` 0: the rows belong to no run; what cannot be sent is left for the next one.
    SyncOutbox(const SyncDefinition &sync, std::int64_t run, const Destination &destination,
               const SyncOperations &operations, MemoryContext context);

    std::string send(const SyncRow &row, TupleTableSlot *made) override;
    void note(const SyncRow &row) override;
    void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind) override;

    /// Writes what is left. The pushes that the rows make, in reverse_etl.audit_log.
    std::vector<std::int64_t> finish();

  private:
    /// One operation of the destination.
    struct Way {
        PushPlan plan;
        std::unique_ptr<Enqueue> enqueue; ///< none until it is needed
    };
    struct RefusedRow {
        Refusal kind;
        std::string key, reason, row;
    };

    Way &way_of(SyncRow::Change change);
    std::int64_t queue(Way &way, TupleTableSlot *made);
    void open_rows();
    void keep(const SyncRow &row, std::int64_t outbox_row, int attempts);
    void write_refused();

    const SyncDefinition &sync_;
    std::int64_t run_;
    const Destination &destination_;
    MemoryContext context_, scratch_;
    Way added_, changed_, removed_;
    bool one_way_; ///< the destination takes new and known rows alike
    std::optional<TableWriter> rows_, state_;
    /// Of the table of rows.
    struct {
        int hash, change, run, row, attempts;
    } columns_{};
    std::vector<RefusedRow> refused_;
};

} // namespace reverse_etl
