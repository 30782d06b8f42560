#pragma once

#include "postgres/outbox/enqueue.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/sync_tables.h"

#include <memory>

namespace reverse_etl {

/// Queues the rows of a run in the outbox, and keeps beside them what the state becomes when they are accepted.
class SyncOutbox final : public SyncSink {
  public:
    /// `run` 0: the rows belong to no run; what cannot be sent is left for the next one.
    SyncOutbox(const SyncDefinition &sync, std::int64_t run, const Destination &destination,
               const SyncOperations &operations, MemoryContext context);

    std::string send(const SyncRow &row, TupleTableSlot *made) override;
    void note(const SyncRow &row) override { tables_.note(row); }
    void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind) override {
        tables_.refuse(row, has_key, reason, kind);
    }

    /// Writes what is left. The pushes that the rows make, in reverse_etl.audit_log.
    std::vector<std::int64_t> finish();

  private:
    /// One operation of the destination.
    struct Way {
        PushPlan plan;
        std::unique_ptr<Enqueue> enqueue; ///< none until it is needed
    };
    Way &way_of(SyncRow::Change change);
    std::int64_t queue(Way &way, TupleTableSlot *made);

    const SyncDefinition &sync_;
    const Destination &destination_;
    MemoryContext context_;
    SyncTables tables_;
    Way added_, changed_, removed_;
    bool one_way_; ///< the destination takes new and known rows alike
};

} // namespace reverse_etl
