#include "postgres/syncs/straight_outcomes.h"

#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/border/subtransaction.h"

#include <algorithm>
#include <cstring>
#include <utility>

extern "C" {
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"
}

namespace reverse_etl {

using Kind = StraightOutcome::Kind;
using Change = SyncRow::Change;

namespace {

/// New keys are written so late and so many at a time: in the order of the index they lie beside each other then, which
/// takes half the time. What a crash forgets of them is sent once more.
constexpr std::int64_t most_postponed = 400'000;
constexpr Milliseconds longest_postponed{3'000};

} // namespace

void StraightOutcomes::settle(const RowStore &store, const std::vector<StraightRow> &rows,
                              std::vector<StraightOutcome> &outcomes,
                              const std::vector<std::vector<RejectedRow>> &rejected, bool ends) {
    std::vector<StraightRow> settled;
    std::vector<StraightOutcome> become;
    for (std::size_t i = 0; i < rows.size(); i++) {
        if (outcomes[i].is_written || (outcomes[i].kind == Kind::none && !(ends && outcomes[i].in_doubt)))
            continue;
        settled.push_back(rows[i]);
        become.push_back(outcomes[i]);
        outcomes[i].is_written = outcomes[i].kind != Kind::none;
    }
    if (settled.empty())
        return;
    sql::AsOwner owner;
    write_state(settled, become);
    write_failures(store, settled, become, rejected);
    name_absent(settled, become);
    Counts counts;
    for (std::size_t i = 0; i < settled.size(); i++)
        (is_postponed(settled[i], become[i]) ? postponed_counts_ : counts)
            .add(store.ways()[settled[i].way].push, settled[i].row.change, become[i].kind);
    count(counts);
    if (postponed_ != nullptr &&
        (postponed_->count() >= most_postponed || Clock::now() >= postponed_since_ + longest_postponed))
        write_postponed();
}

/// Where removals are sent as well, keys are noted before they are sent until the state has them: there is no sense in
/// noting more of them.
bool StraightOutcomes::is_postponed(const StraightRow &row, const StraightOutcome &outcome) const {
    return outcome.kind == Kind::accepted && !outcome.in_doubt && row.row.change == Change::added && !sync_.removes();
}

void StraightOutcomes::postpone(const StraightRow &row) {
    if (postponed_ == nullptr) {
        postponed_context_ = pg_call([] {
            return AllocSetContextCreate(TopMemoryContext, "reverse_etl keys to write", ALLOCSET_DEFAULT_SIZES);
        });
        postponed_ = std::make_unique<KeyRows>(sync_, postponed_context_);
        postponed_since_ = Clock::now();
    }
    postponed_->put(row.row.key, row.row.hash);
}

void StraightOutcomes::forget_postponed() {
    postponed_.reset();
    postponed_counts_ = {};
    if (postponed_context_ != nullptr)
        MemoryContextDelete(std::exchange(postponed_context_, nullptr));
}

StraightOutcomes::~StraightOutcomes() {
    forget_postponed();
}

void StraightOutcomes::write_postponed() {
    if (postponed_ == nullptr)
        return;
    sql::AsOwner owner;
    write_new(*postponed_);
    count(postponed_counts_);
    forget_postponed();
}

void StraightOutcomes::write_state(const std::vector<StraightRow> &rows, const std::vector<StraightOutcome> &outcomes) {
    KeyRows fresh(sync_), kept(sync_), gone(sync_), doubted(sync_);
    bool wants_rows_there = sends_new(sync_.mode);
    for (std::size_t i = 0; i < rows.size(); i++) {
        const SyncRow &row = rows[i].row;
        bool removed = row.change == Change::removed, absent = outcomes[i].kind == Kind::absent;
        if (outcomes[i].in_doubt)
            doubted.put(row.key);
        else if ((absent && wants_rows_there) || ((absent || outcomes[i].kind == Kind::accepted) && removed))
            gone.put(row.key);
        else if (is_postponed(rows[i], outcomes[i]))
            postpone(rows[i]);
        else if (outcomes[i].kind == Kind::accepted && row.change == Change::added)
            fresh.put(row.key, row.hash);
        else if (absent || outcomes[i].kind == Kind::accepted)
            kept.put(row.key, row.hash);
    }
    write_new(fresh);
    const SyncStatements statements(sync_);
    kept.keep("#kept", statements);
    gone.run("#gone", statements.forget("#gone"));
    doubted.keep("#doubted", statements);
}

/// New keys are appended, many at a time. Should somebody have adopted one of them meanwhile, they go the other way.
void StraightOutcomes::write_new(const KeyRows &rows) const {
    if (rows.is_empty())
        return;
    try {
        in_subtransaction([&] {
            SyncTables tables(sync_, run_, CurrentMemoryContext);
            rows.for_each([&](const SyncRow &row) { tables.note(row); });
            tables.finish();
            return true;
        });
    } catch (const PostgresError &error) {
        if (error.data->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
            throw;
        FreeErrorData(error.data);
        rows.keep("#kept", SyncStatements(sync_));
    }
}

void StraightOutcomes::write_failures(const RowStore &store, const std::vector<StraightRow> &rows,
                                      const std::vector<StraightOutcome> &outcomes,
                                      const std::vector<std::vector<RejectedRow>> &rejected) const {
    SyncTables tables(sync_, run_, CurrentMemoryContext);
    for (std::size_t i = 0; i < rows.size(); i++)
        if (outcomes[i].kind == Kind::rejected)
            tables.keep(rows[i].row, 0, std::min(rows[i].row.attempts, PG_INT32_MAX - 1) + 1);
    tables.finish();
    for (std::size_t way = 0; way < rejected.size(); way++)
        for (const std::string &text : rejected_rows_json(rejected[way]))
            insert_rejected_rows(store.ways()[way].push, store.ways()[way].record, text);
}

/// For reverse_etl.run_rows.
void StraightOutcomes::name_absent(const std::vector<StraightRow> &rows,
                                   const std::vector<StraightOutcome> &outcomes) const {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < rows.size(); i++)
        if (outcomes[i].kind == Kind::absent && rows[i].row.change != Change::removed)
            keys.emplace_back(rows[i].key_json);
    if (keys.empty())
        return;
    pg_call([&] {
        sql::execute(
            "INSERT INTO reverse_etl_internal.invalid_rows (run_id, quarantined, absent, key, reason, \"row\") "
            "SELECT $1, false, true, kept, 'the destination does not have the row', kept "
            "FROM unnest($2) AS key, LATERAL reverse_etl_internal.kept_json(key) AS kept",
            {sql::int8(run_), sql::texts(keys)});
    });
}

void StraightOutcomes::Counts::add(std::int64_t of_push, Change change, Kind kind) {
    Outbox::Counts &push = pushes[of_push];
    switch (kind) {
    case Kind::none:
        return;
    case Kind::rejected:
        rejected++;
        push.rejected++;
        return;
    case Kind::absent:
        push.absent++;
        if (change != Change::removed) {
            absent++;
            return;
        }
        break;
    case Kind::accepted:
        push.accepted++;
        break;
    }
    (change == Change::added ? added : change == Change::changed ? changed : removed)++;
}

void StraightOutcomes::count(const Counts &counts) const {
    if (counts.added + counts.changed + counts.removed + counts.rejected + counts.absent == 0)
        return;
    Outbox::count(counts.pushes);
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.count_straight($1, $2, $3, $4, $5, $6)",
                     {sql::int8(run_), sql::int8(counts.added), sql::int8(counts.changed), sql::int8(counts.removed),
                      sql::int8(counts.rejected), sql::int8(counts.absent)});
    });
}

void StraightOutcomes::note_sent(const std::vector<StraightRow> &rows,
                                 const std::vector<StraightOutcome> &outcomes) const {
    sql::AsOwner owner;
    KeyRows keys(sync_);
    std::string sent;
    for (std::size_t i = 0; i < rows.size(); i++)
        if (!outcomes[i].is_written && (rows[i].row.change != Change::added || sync_.removes()))
            keys.append(rows[i].row.key, sent);
    pg_call([&] {
        auto *text = static_cast<bytea *>(palloc(VARHDRSZ + sent.size()));
        SET_VARSIZE(text, VARHDRSZ + sent.size());
        std::memcpy(VARDATA(text), sent.data(), sent.size());
        sql::execute("SELECT reverse_etl_internal.note_straight($1, $2)",
                     {sql::int8(run_), {BYTEAOID, PointerGetDatum(text)}});
        // A row must not be at the destination whose note a crash could undo.
        if (!sent.empty())
            ForceSyncCommit();
    });
}

void StraightOutcomes::doubt_sent() const {
    sql::AsOwner owner;
    std::string sent;
    pg_call([&] {
        sql::execute(
            "WITH noted AS (DELETE FROM reverse_etl_internal.straight_notes WHERE run_id = $1 RETURNING part, keys) "
            "SELECT COALESCE(string_agg(keys, '' ORDER BY part), '') FROM noted",
            {sql::int8(run_)});
        auto *text = DatumGetByteaPP(sql::column(0, 1));
        sent.assign(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
    });
    if (sent.empty())
        return;
    KeyRows doubted(sync_);
    doubted.put_all(sent);
    doubted.keep("#doubted", SyncStatements(sync_));
}

} // namespace reverse_etl
