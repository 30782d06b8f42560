#include "postgres/syncs/straight_outcomes.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/own_column.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/subtransaction.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/rel.h"
}

namespace reverse_etl {

using Kind = StraightOutcome::Kind;
using Change = SyncRow::Change;

/// Keys with their hashes, as rows of the state.
class KeyRows {
  public:
    explicit KeyRows(const SyncDefinition &sync) : keys_(sync.key.size()) {
        descriptor_ = pg_call([&] {
            Relation state = table_open(internal_relation(psprintf("sync_%d_state", sync.id)), AccessShareLock);
            TupleDesc copy = CreateTupleDescCopy(RelationGetDescr(state));
            hash_ = own_column(state, "#hash");
            table_close(state, NoLock);
            return copy;
        });
        values_.resize(descriptor_->natts);
        nulls_ = std::make_unique<bool[]>(values_.size());
        std::fill_n(nulls_.get(), values_.size(), true);
        std::fill_n(nulls_.get(), keys_, false);
        rows_ = ResultRows::made_of(descriptor_);
    }

    void put(const Datum *key) {
        nulls_[hash_] = true;
        put_key(key);
    }
    void put(const Datum *key, Datum hash) {
        nulls_[hash_] = false;
        values_[hash_] = hash;
        put_key(key);
    }
    bool is_empty() const { return rows_.is_empty(); }

    /// Runs a statement that reads them by the name; nothing where there are none. They are the keys of one burst, and
    /// each is looked for by itself: the planner would read all of the state for a burst, however many there are.
    void run(const char *name, const std::string &statement) const {
        if (!is_empty())
            run_all(name, statement);
    }
    /// Writes them into the state; nearly always it has all of the keys.
    void keep(const char *name, const SyncStatements &statements) const {
        if (!is_empty() && run_all(name, statements.renew(name)) < static_cast<std::uint64_t>(rows_.count()))
            run_all(name, statements.keep(name));
    }

    // As a text of bytes, and back.
    void append(const Datum *key, std::string &text) {
        std::copy_n(key, keys_, values_.begin());
        nulls_[hash_] = true;
        MinimalTuple tuple =
            pg_call([&] { return compat::form_minimal_tuple(descriptor_, values_.data(), nulls_.get()); });
        text.append(reinterpret_cast<const char *>(tuple), tuple->t_len);
        pfree(tuple);
    }
    void put_all(std::string_view text) {
        while (!text.empty()) {
            uint32 length;
            std::memcpy(&length, text.data(), sizeof(length));
            pg_call([&] {
                auto *tuple = static_cast<MinimalTuple>(palloc(length));
                std::memcpy(tuple, text.data(), length);
                HeapTuple whole = heap_tuple_from_minimal_tuple(tuple);
                heap_deform_tuple(whole, descriptor_, values_.data(), nulls_.get());
            });
            put(values_.data());
            text.remove_prefix(length);
        }
    }

  private:
    std::uint64_t run_all(const char *name, const std::string &statement) const {
        ShownRows shown(rows_, name, 1);
        return pg_call([&] { return sql::run(statement); });
    }
    void put_key(const Datum *key) {
        if (key != values_.data())
            std::copy_n(key, keys_, values_.begin());
        rows_.put(values_.data(), nulls_.get());
    }

    std::size_t keys_;
    TupleDesc descriptor_;
    int hash_ = 0;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
    ResultRows rows_;
};

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
    count(store, settled, become);
}

void StraightOutcomes::write_state(const std::vector<StraightRow> &rows,
                                   const std::vector<StraightOutcome> &outcomes) const {
    std::vector<const StraightRow *> fresh;
    KeyRows kept(sync_), gone(sync_), doubted(sync_);
    bool wants_rows_there = sends_new(sync_.mode);
    for (std::size_t i = 0; i < rows.size(); i++) {
        const SyncRow &row = rows[i].row;
        bool removed = row.change == Change::removed, absent = outcomes[i].kind == Kind::absent;
        if (outcomes[i].in_doubt)
            doubted.put(row.key);
        else if ((absent && wants_rows_there) || ((absent || outcomes[i].kind == Kind::accepted) && removed))
            gone.put(row.key);
        else if (outcomes[i].kind == Kind::accepted && row.change == Change::added)
            fresh.push_back(&rows[i]);
        else if (absent || outcomes[i].kind == Kind::accepted)
            kept.put(row.key, row.hash);
    }
    write_new(fresh, kept);
    const SyncStatements statements(sync_);
    kept.keep("#kept", statements);
    gone.run("#gone", statements.forget("#gone"));
    doubted.keep("#doubted", statements);
}

/// New keys are appended, many at a time. Should somebody have adopted one of them meanwhile, they go the other way.
void StraightOutcomes::write_new(const std::vector<const StraightRow *> &rows, KeyRows &kept) const {
    if (rows.empty())
        return;
    try {
        in_subtransaction([&] {
            SyncTables tables(sync_, run_, CurrentMemoryContext);
            for (const StraightRow *one : rows)
                tables.note(one->row);
            tables.finish();
            return true;
        });
    } catch (const PostgresError &error) {
        if (error.data->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
            throw;
        FreeErrorData(error.data);
        for (const StraightRow *one : rows)
            kept.put(one->row.key, one->row.hash);
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

void StraightOutcomes::count(const RowStore &store, const std::vector<StraightRow> &rows,
                             const std::vector<StraightOutcome> &outcomes) const {
    std::int64_t accepted = 0, refused = 0, absent = 0, of_change[3] = {};
    std::map<std::int64_t, Outbox::Counts> pushes;
    for (std::size_t i = 0; i < rows.size(); i++) {
        const Change change = rows[i].row.change;
        Outbox::Counts &push = pushes[store.ways()[rows[i].way].push];
        switch (outcomes[i].kind) {
        case Kind::none:
            continue;
        case Kind::rejected:
            refused++;
            push.rejected++;
            continue;
        case Kind::absent:
            push.absent++;
            absent += change == Change::removed ? 0 : 1;
            if (change != Change::removed)
                continue;
            break;
        case Kind::accepted:
            push.accepted++;
            break;
        }
        accepted++;
        of_change[change == Change::added ? 0 : change == Change::changed ? 1 : 2]++;
    }
    if (accepted + refused + absent == 0)
        return;
    Outbox::count(pushes);
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.count_straight($1, $2, $3, $4, $5, $6)",
                     {sql::int8(run_), sql::int8(of_change[0]), sql::int8(of_change[1]), sql::int8(of_change[2]),
                      sql::int8(refused), sql::int8(absent)});
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
