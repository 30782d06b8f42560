#pragma once

#include "postgres/border/result_rows.h"
#include "postgres/syncs/statements.h"

#include <optional>

namespace reverse_etl {

/// What a run has to look at: the difference between the model and what the destination has accepted.
struct SyncDiff {
    std::int64_t model_rows = 0;       ///< those that the query yields; with a cursor, those that came after it
    std::int64_t known = 0;            ///< keys in the state
    ResultRows changes;                ///< as SyncStatements::touched() describes them; rows without a key among them
    ResultRows gone;                   ///< likewise
    ResultRows duplicates;             ///< rows of the model, of which none can be sent
    std::optional<std::string> cursor; ///< up to where the cursor has come
    std::string snapshot;              ///< under which this was found, as a pg_snapshot
    ResultRows streamed;               ///< numbers of rows that streams had sent by then, and that are on their way

    /// Leaves out rows whose keys a stream of the sync has sent since: what it sent is newer.
    void leave_to_streams(const SyncDefinition &sync, const SyncStatements &statements);

    // Parts of find(), for who finds changes in another way.
    /// Of the changes those that are on their way already are none. They are shown as `changes`.
    void leave_out_pending(const SyncStatements &statements);
    /// Rows with one key are none that could be sent.
    void set_duplicates_apart(const SyncStatements &statements);

    /// Runs as the sync's owner, in the open connection to SPI, under one snapshot.
    static SyncDiff find(const SyncDefinition &sync, const SyncStatements &statements);

    /// The same for the few rows whose keys are shown as `keys`, as the transaction sees them now: nothing is counted.
    /// `state_tells`: as in SyncStatements::look_only_at_keys.
    static SyncDiff find_among_keys(const SyncDefinition &sync, SyncStatements statements, bool state_tells);
};

} // namespace reverse_etl
