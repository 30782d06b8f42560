#pragma once

#include "postgres/border/table_writer.h"
#include "postgres/syncs/rows.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What a difference leaves in the tables of its sync, beside what is sent: rows that are on their way in the outbox,
/// that could not go, and that are known from now on without having been sent. In one transaction.
class SyncTables {
  public:
    /// `run` 0: the rows belong to no run; what cannot be sent is left for the next one.
    SyncTables(const SyncDefinition &sync, std::int64_t run, MemoryContext context);

    /// The row is on its way, or, with the outbox row 0, did not get through so often.
    void keep(const SyncRow &row, std::int64_t outbox_row, int attempts);
    /// The destination has the row, for all that is known.
    void note(const SyncRow &row);
    /// As SyncSink::refuse().
    void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind);
    /// Writes what is left.
    void finish();

  private:
    struct RefusedRow {
        Refusal kind;
        std::string key, reason, row;
    };

    void open_rows();
    void write_refused();

    const SyncDefinition &sync_;
    std::int64_t run_;
    MemoryContext context_, scratch_;
    std::optional<TableWriter> rows_, state_;
    /// Of the table of rows.
    struct {
        int hash, change, run, row, attempts;
    } columns_{};
    int hash_of_state_ = 0;
    std::vector<RefusedRow> refused_;
};

} // namespace reverse_etl
