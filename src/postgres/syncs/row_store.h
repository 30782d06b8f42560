#pragma once

#include "engine/queue/delivery_lane.h"
#include "postgres/audit_log/push_record.h"
#include "postgres/destinations/plan_records.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/sync_tables.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// A row of a run that is to be sent, as it was encoded. What it points to lives as long as the burst that it is in.
struct StraightRow {
    SyncRow row; ///< without the slot
    int way = 0; ///< of RowStore::ways()
    std::string_view key_json, row_json;
};

/// The rows of a run that leave straight from it: encoded with the rights of the sync's owner, and kept on disk beyond
/// work_mem, with no transaction and no snapshot. It is filled in one transaction, and read in any.
class RowStore final : public SyncSink {
  public:
    /// One operation of the destination.
    struct Way {
        PushPlan plan;
        LaneKey lane;
        std::int64_t push = 0; ///< in reverse_etl.audit_log; 0: no row of the run needs it
        PushRecord record{};
        std::uint64_t rows = 0;
    };
    enum : int { added, changed, removed, ways_count };
    using Ways = std::array<Way, ways_count>;

    /// `context` lasts as long as the transaction that fills it.
    RowStore(const SyncDefinition &sync, std::int64_t run, const Destination &destination,
             const SyncOperations &operations, MemoryContext context);
    ~RowStore() override;
    RowStore(const RowStore &) = delete;
    RowStore &operator=(const RowStore &) = delete;

    std::string send(const SyncRow &row, TupleTableSlot *made) override;
    void note(const SyncRow &row) override { filling_->tables.note(row); }
    void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind) override {
        filling_->tables.refuse(row, has_key, reason, kind);
    }
    /// No more rows come. The pushes that they make, in reverse_etl.audit_log.
    std::vector<std::int64_t> finish();

    const Ways &ways() const { return ways_; }

    /// Draws numbers of the outbox for all rows, should they have to wait there after all: before those of rows that
    /// are queued from here on. Once.
    void draw_numbers();
    /// That of the row that came as the nth, from 1.
    std::int64_t number_in_outbox(std::uint64_t nth) const;

    /// The next rows, in the order in which they came: so many rows and bytes at most, but one at least; none when all
    /// have been read. Those of the burst before are gone.
    const std::vector<StraightRow> &next_burst(std::size_t most_rows, std::size_t most_bytes);
    const std::vector<StraightRow> &burst() const { return burst_; }
    /// Which row its first one is, from 1.
    std::uint64_t first_of_burst() const { return first_of_burst_; }

  private:
    /// What is needed while rows come.
    struct Filling {
        Filling(const SyncDefinition &sync, std::int64_t run, MemoryContext context) : tables(sync, run, context) {}
        SyncTables tables;
        std::array<std::unique_ptr<PlanRecords>, ways_count> records;
    };

    PlanRecords &records_of(int way);

    const SyncDefinition &sync_;
    const Destination *destination_;
    MemoryContext of_filling_;
    std::unique_ptr<Filling> filling_;
    Ways ways_;
    bool one_way_;
    MemoryContext context_, burst_context_;
    TupleDesc descriptor_ = nullptr;
    Tuplestorestate *rows_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
    bool at_end_ = false;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
    std::vector<StraightRow> burst_;
    std::vector<Datum> keys_;
    std::uint64_t rows_put_ = 0, first_of_burst_ = 1;
    std::vector<std::int64_t> numbers_;
};

/// What a plan's rows of a sync have in common, as the lanes of the outbox tell them apart.
LaneKey lane_of(const Destination &destination, const PushPlan &plan, Oid role);

} // namespace reverse_etl
