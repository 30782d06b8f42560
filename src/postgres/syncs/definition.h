#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postgres/border/postgres.h"
#include "postgres/syncs/mode.h"

namespace reverse_etl {

/// What reverse_etl_internal.sync_definitions says of a managed sync.
struct SyncDefinition {
    int32 id = 0;
    std::string name;
    Oid owner = InvalidOid; ///< with whose rights the model is read and rows are sent
    std::string query;      ///< the model
    std::string search_path;
    Oid destination = InvalidOid;
    std::vector<std::string> key;
    std::vector<Oid> key_types;
    std::vector<std::string> key_forms;    ///< for each column what the destination compares: key_form_in_sql()
    std::vector<std::string> key_equality; ///< and the operator that tells these apart, as SQL has it
    std::vector<std::string> columns;      ///< of the destination, that are sent
    Mode mode = Mode::upsert;
    std::string on_missing;    ///< what is done with keys that have left the model
    std::string cursor_column; ///< "" where rows are compared with the state
    std::optional<std::string> cursor_value;
    bool at_source = false; ///< the difference is found there: hashes are those that the source makes
    bool backfill = true;   ///< what is there at the first run is sent
    bool has_run = false;
    bool may_remove = false;
    int max_attempts = 0;

    bool by_cursor() const { return !cursor_column.empty(); }
    bool removes() const { return reverse_etl::removes(mode) && on_missing != "ignore"; }
};

/// The sync of that name; an Error if the current role sees none. Needs an open connection to SPI.
SyncDefinition find_sync(const std::string &name);
/// The same by its number, for who sees all.
SyncDefinition find_sync(int32 id);
/// Keeps the destination from being changed or dropped until the transaction ends; an Error if that has happened.
void lock_destination(const SyncDefinition &sync);

/// A stream queues rows: from here to the end of its transaction no run does. False where the sync was started over
/// meanwhile, for another destination or key: then it has to be read again.
[[nodiscard]] bool begin_streaming(const SyncDefinition &sync);
/// A run is about to queue rows: those that streams queued are there, and until the end of the transaction no stream
/// queues others, which would leave first and be overwritten.
void hold_streams(const SyncDefinition &sync);

} // namespace reverse_etl
