#include "postgres/syncs/diff.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/syncs/key_hashes.h"
#include "postgres/syncs/source_diff.h"

#include <utility>

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

/// The number in the one row of a query.
std::int64_t number_of(const std::string &query) {
    std::int64_t number = 0;
    ResultRows::of(query).for_each([&](TupleTableSlot *slot) {
        bool is_null = false;
        number = DatumGetInt64(pg_call([&] { return slot_getattr(slot, 1, &is_null); }));
    });
    return number;
}

bool has_duplicates_among_changes(const SyncStatements &statements) {
    return !ResultRows::of(statements.duplicates_among_changes()).is_empty();
}

void find_by_cursor(SyncDiff &diff, const SyncDefinition &sync, const SyncStatements &statements) {
    diff.changes = ResultRows::of(statements.changes_by_cursor());
    diff.model_rows = diff.changes.count();
    diff.changes.show_as("#changes");
    ResultRows::of(statements.cursor_of_changes()).for_each([&](TupleTableSlot *slot) {
        bool is_null = false;
        Datum value = slot_getattr(slot, 1, &is_null);
        if (!is_null)
            diff.cursor = text_value(value);
    });
    if (!diff.cursor)
        diff.cursor = sync.cursor_value;
    if (!has_duplicates_among_changes(statements))
        return;
    diff.set_duplicates_apart(statements);
    diff.model_rows = diff.changes.count() + diff.duplicates.count();
}

void find_by_state(SyncDiff &diff, const SyncDefinition &sync, const SyncStatements &statements) {
    diff.known = number_of(statements.known());
    Sightings sightings(sync);
    KeyHashes new_keys(CurTransactionContext);
    diff.changes = ResultRows::of(diff.known == 0 ? statements.all_new() : statements.seen(sightings),
                                  {sync_columns::key_hash, [&](Datum hash) { new_keys.add(DatumGetUInt64(hash)); }});
    if (sightings.any_undecided()) {
        diff.changes.show_as("#seen");
        diff.changes = ResultRows::of(statements.decided(sightings));
    }
    diff.model_rows = diff.known == 0 ? diff.changes.count() : sightings.rows();
    bool asks_for_gone = forgets_gone(sync.mode) || sync.removes();
    if (asks_for_gone && (sightings.any_twice() || sightings.known() != diff.known))
        diff.gone = ResultRows::of(statements.gone(sightings));
    diff.leave_out_pending(statements);
    if (sightings.any_twice() ||
        (pg_call([&] { return new_keys.any_twice(); }) && has_duplicates_among_changes(statements)))
        diff.set_duplicates_apart(statements);
}

bool has_streams(const SyncDefinition &sync, const SyncStatements &statements) {
    ActAs owner(sync.owner, sync.search_path);
    OneSnapshot now;
    return !ResultRows::of(statements.streams()).is_empty();
}

} // namespace

void SyncDiff::leave_out_pending(const SyncStatements &statements) {
    if (!changes.is_empty() && !ResultRows::of(statements.any_kept()).is_empty()) {
        changes.show_as("#seen");
        changes = ResultRows::of(statements.seen_but_pending());
    }
    changes.show_as("#changes");
}

void SyncDiff::set_duplicates_apart(const SyncStatements &statements) {
    duplicates = ResultRows::of(statements.duplicates());
    duplicates.show_as("#duplicates");
    changes = ResultRows::of(statements.changes_but_duplicates());
    changes.show_as("#changes");
}

void SyncDiff::leave_to_streams(const SyncDefinition &sync, const SyncStatements &statements) {
    if (changes.is_empty() && gone.is_empty())
        return;
    if (!has_streams(sync, statements))
        return;
    hold_streams(sync);
    ActAs owner(sync.owner, sync.search_path);
    OneSnapshot now;
    streamed.show_as("#streamed");
    for (auto [rows, name] : {std::pair(&changes, "#changes"), std::pair(&gone, "#gone")})
        if (!rows->is_empty()) {
            rows->show_as(name);
            *rows = ResultRows::of(statements.all_but_streamed(name, snapshot));
        }
}

SyncDiff SyncDiff::find(const SyncDefinition &sync, const SyncStatements &statements) {
    SyncDiff diff;
    ActAs owner(sync.owner, sync.search_path);
    owner.compile_nothing();
    OneSnapshot snapshot;
    ResultRows::of("SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text").for_each([&](TupleTableSlot *slot) {
        bool is_null = false;
        Datum shown = slot_getattr(slot, 1, &is_null);
        diff.snapshot = text_value(shown);
    });
    diff.streamed = ResultRows::of(statements.streamed());
    if (sync.by_cursor()) {
        find_by_cursor(diff, sync, statements);
    } else if (sync.at_source) {
        diff.known = number_of(statements.known());
        find_at_source(diff, sync);
    } else {
        find_by_state(diff, sync, statements);
    }
    return diff;
}

SyncDiff SyncDiff::find_among_keys(const SyncDefinition &sync, SyncStatements statements, bool state_tells) {
    SyncDiff diff;
    statements.look_only_at_keys(state_tells);
    pg_call([] { CommandCounterIncrement(); });
    OneSnapshot snapshot;
    diff.changes = ResultRows::of(statements.touched());
    diff.changes.show_as("#changes");
    if (has_duplicates_among_changes(statements))
        diff.set_duplicates_apart(statements);
    if (sync.removes())
        diff.gone = ResultRows::of(statements.touched_and_gone());
    return diff;
}

} // namespace reverse_etl
