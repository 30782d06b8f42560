#include "postgres/syncs/sync_tables.h"

#include "postgres/border/border.h"
#include "postgres/border/columns_json.h"
#include "postgres/border/names.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"

#include <utility>

extern "C" {
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Rows that cannot be sent are written so many at a time.
constexpr std::size_t most_refused = 1000;

/// Bytes: the tables are narrow.
constexpr std::size_t about_a_row = 100;

TableWriter writer_of(int32 sync, const char *suffix, MemoryContext context, TableWriter::Indexes indexes) {
    const char *name = psprintf("sync_%d_%s", sync, suffix);
    return TableWriter(internal_relation(name), context, indexes);
}

/// The first columns of both tables are those of the key. Call inside pg_call, between begin_row() and end_row().
void copy_key(const SyncRow &row, int keys, TupleTableSlot *slot) {
    for (int i = 0; i < keys; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(slot->tts_tupleDescriptor, i);
        slot->tts_values[i] = datumCopy(row.key[i], attribute->attbyval, attribute->attlen);
        slot->tts_isnull[i] = false;
    }
}

} // namespace

SyncTables::SyncTables(const SyncDefinition &sync, std::int64_t run, MemoryContext context)
    : sync_(sync), run_(run), context_(context),
      scratch_(pg_call([&] { return AllocSetContextCreate(context, "reverse_etl sync row", ALLOCSET_SMALL_SIZES); })) {}

/// Call inside pg_call.
void SyncTables::open_rows() {
    rows_.emplace(writer_of(sync_.id, "rows", context_, TableWriter::Indexes::at_once));
    auto column = [&](const char *name) { return own_column(rows_->relation(), name); };
    columns_ = {column("#hash"), column("#change"), column("#run"), column("#row"), column("#attempts")};
}

/// Notes the row among those that are on their way, or that did not get through.
void SyncTables::keep(const SyncRow &row, std::int64_t outbox_row, int attempts) {
    int keys = static_cast<int>(sync_.key.size());
    pg_call([&] {
        if (!rows_)
            open_rows();
        TupleTableSlot *slot = rows_->begin_row();
        auto set = [&](int column, Datum value) {
            slot->tts_values[column] = value;
            slot->tts_isnull[column] = false;
        };
        copy_key(row, keys, slot);
        if (row.change != SyncRow::Change::removed)
            set(columns_.hash, row.hash);
        set(columns_.change, CharGetDatum(static_cast<char>(row.change)));
        if (run_ != 0)
            set(columns_.run, Int64GetDatum(run_));
        if (outbox_row != 0)
            set(columns_.row, Int64GetDatum(outbox_row));
        set(columns_.attempts, Int32GetDatum(attempts));
        rows_->end_row(about_a_row);
    });
}

void SyncTables::note(const SyncRow &row) {
    if (sync_.by_cursor())
        return; // the cursor has passed it
    int keys = static_cast<int>(sync_.key.size());
    pg_call([&] {
        if (!state_) {
            state_.emplace(writer_of(sync_.id, "state", context_, TableWriter::Indexes::at_end));
            hash_of_state_ = own_column(state_->relation(), "#hash");
        }
        TupleTableSlot *slot = state_->begin_row();
        copy_key(row, keys, slot);
        slot->tts_values[hash_of_state_] = row.hash;
        slot->tts_isnull[hash_of_state_] = false;
        state_->end_row(about_a_row);
    });
}

void SyncTables::refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind) {
    if (run_ == 0)
        return;
    // What the diff has added begins with #, and is no column of the query.
    std::vector<std::string> all;
    for (int i = 0; i < row.found->tts_tupleDescriptor->natts; i++)
        if (std::string name = column_name(TupleDescAttr(row.found->tts_tupleDescriptor, i)); name[0] != '#')
            all.push_back(std::move(name));
    refused_.push_back(
        {kind, columns_as_json(row.found, sync_.key, scratch_), reason, columns_as_json(row.found, all, scratch_)});
    if (has_key)
        keep(row, 0, row.attempts + (kind == Refusal::quarantined ? 0 : 1));
    if (refused_.size() >= most_refused)
        write_refused();
}

void SyncTables::write_refused() {
    if (refused_.empty())
        return;
    std::vector<int64> quarantined, in_doubt;
    std::vector<std::string> keys, reasons, rows;
    for (RefusedRow &refused : std::exchange(refused_, {})) {
        quarantined.push_back(refused.kind == Refusal::quarantined);
        in_doubt.push_back(refused.kind == Refusal::in_doubt);
        keys.push_back(std::move(refused.key));
        reasons.push_back(std::move(refused.reason));
        rows.push_back(std::move(refused.row));
    }
    sql::AsOwner owner;
    pg_call([&] {
        sql::execute(
            R"(
            INSERT INTO reverse_etl_internal.invalid_rows (run_id, quarantined, in_doubt, key, reason, "row")
            SELECT $1, quarantined <> 0, in_doubt <> 0, reverse_etl_internal.kept_json(key), reason, reverse_etl_internal.kept_json("row")
              FROM ROWS FROM (unnest($2), unnest($3), unnest($4), unnest($5), unnest($6))
                   AS _ (quarantined, in_doubt, key, reason, "row"))",
            {sql::int8(run_), sql::int8s(quarantined), sql::int8s(in_doubt), sql::texts(keys), sql::texts(reasons),
             sql::texts(rows)});
    });
}

void SyncTables::finish() {
    write_refused();
    for (std::optional<TableWriter> *writer : {&rows_, &state_})
        if (*writer)
            pg_call([&] { (*writer)->finish(); });
}

} // namespace reverse_etl
