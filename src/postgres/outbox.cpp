#include "postgres/outbox.h"

#include "postgres/border.h"
#include "postgres/id_ranges.h"
#include "postgres/outbox_table.h"
#include "postgres/sql.h"

#include <algorithm>

extern "C" {
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "catalog/namespace.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Where a row is stored: in reverse_etl.outbox itself, since the destination had no table yet, or in its own.
enum Table { shared, own };

bool ended(const VirtualTransactionId &transaction, const std::vector<VirtualTransactionId> &running) {
    return std::none_of(running.begin(), running.end(), [&](const VirtualTransactionId &other) {
        return VirtualTransactionIdEquals(transaction, other);
    });
}

std::vector<int64> ids_of(const auto &rows, int table) {
    std::vector<int64> ids;
    for (const auto &row : rows)
        if (row.table == table)
            ids.push_back(row.id);
    return ids;
}

/// A row of a result, where it lies.
struct FoundRow {
    int64 id, push, key_hash;
    int32 attempts;
    bool own;
    int32 sync;
    std::string_view operation, key, row;
    Oid deliver_as;
    TimestampTz enqueued_at, next_attempt_at;
};

FoundRow found_row(uint64 i) {
    auto number = [&](int column) {
        bool is_null;
        Datum value = sql::column(i, column, &is_null);
        return is_null ? 0 : DatumGetInt64(value);
    };
    FoundRow found;
    found.id = number(1);
    found.push = number(2);
    found.operation = sql::text_column(i, 3);
    found.deliver_as = DatumGetObjectId(sql::column(i, 4));
    found.enqueued_at = number(5);
    found.attempts = DatumGetInt32(sql::column(i, 6));
    found.next_attempt_at = number(7);
    found.key_hash = number(8);
    found.key = sql::text_column(i, 9);
    found.row = sql::text_column(i, 10);
    found.sync = static_cast<int32>(number(11));
    found.own = DatumGetBool(sql::column(i, 12));
    return found;
}

/// All rows of the result, but those that are known.
std::vector<StoredRow> stored_rows(uint64 count, const KeyQueue *known) {
    FoundRow *found = pg_call([&] {
        auto *rows =
            static_cast<FoundRow *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FoundRow) * (count + 1)));
        for (uint64 i = 0; i < count; i++)
            rows[i] = found_row(i);
        return rows;
    });
    std::vector<StoredRow> stored;
    stored.reserve(count);
    for (const FoundRow *row = found; row < found + count; row++) {
        auto id = static_cast<std::uint64_t>(row->id);
        if (known != nullptr && known->contains(id))
            continue;
        StoredRow &added = stored.emplace_back();
        added.operation = row->operation;
        added.deliver_as = row->deliver_as;
        added.enqueued_at = row->enqueued_at;
        added.next_attempt_at = row->next_attempt_at;
        added.row = std::make_unique<QueuedRow>();
        added.row->id = id;
        added.row->push = row->push;
        added.row->sync = row->sync;
        added.row->key_hash = row->key_hash;
        added.row->key = row->key;
        added.row->row = row->row;
        added.row->stored_bytes = row->key.size() + row->row.size();
        added.row->attempts = row->attempts;
        added.row->role = row->deliver_as;
        added.row->table = row->own ? own : shared;
    }
    return stored;
}

/// Up to where the log has been written. Where a page begins Postgres says where the next record will be, behind the
/// page's header, and that cannot be flushed before it is there.
XLogRecPtr end_of_log() {
    XLogRecPtr next = GetXLogInsertRecPtr();
    bool first_of_segment = XLogSegmentOffset(next, wal_segment_size) == SizeOfXLogLongPHD;
    bool first_of_page = next % XLOG_BLCKSZ == SizeOfXLogShortPHD;
    return first_of_segment || first_of_page ? next - next % XLOG_BLCKSZ : next;
}

constexpr const char *columns = "id, push, operation, deliver_as::oid, enqueued_at, attempts, "
                                "next_attempt_at, key_hash, key::text, \"row\"::text, sync::bigint";

} // namespace

std::vector<Oid> Outbox::destinations() {
    // The shared table is small, but for the first rows of a destination; its index is skipped through.
    constexpr const char *query = R"(
        SELECT substr(relname, 8)::oid
          FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
         WHERE inhparent = 'reverse_etl.outbox'::regclass
        UNION
        (WITH RECURSIVE skipped (destination) AS (
            (SELECT destination::oid FROM ONLY reverse_etl.outbox ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT o.destination::oid FROM ONLY reverse_etl.outbox AS o
                     WHERE o.destination > skipped.destination ORDER BY 1 LIMIT 1)
              FROM skipped WHERE destination IS NOT NULL)
         SELECT destination FROM skipped WHERE destination IS NOT NULL))";
    uint64 count = pg_call([&] { return sql::execute(query, {}); });
    std::vector<Oid> found;
    for (uint64 i = 0; i < count; i++)
        found.push_back(pg_call([&] { return DatumGetObjectId(sql::column(i, 1)); }));
    return found;
}

void Outbox::make_table() {
    pg_call([&] {
        const char *name = outbox_table_name(destination_);
        if (OidIsValid(get_relname_relid(name, get_namespace_oid("reverse_etl", false))))
            return;
        // A part of the extension: it goes with it, and no dump holds it.
        const char *statements = psprintf(R"(
            CREATE TABLE reverse_etl.%s () INHERITS (reverse_etl.outbox)
                WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
                      autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);
            CREATE INDEX ON reverse_etl.%s (destination, id);
            ALTER EXTENSION reverse_etl ADD TABLE reverse_etl.%s)",
                                          name, name, name);
        if (SPI_execute(statements, false, 0) < 0)
            elog(ERROR, "could not make table reverse_etl.%s", name);
    });
}

/// Those who may have drawn numbers for rows that nobody sees yet: they hold the lock that writing takes.
std::vector<VirtualTransactionId> Outbox::writers() const {
    std::vector<VirtualTransactionId> found;
    struct {
        VirtualTransactionId *holders;
        int count;
    } of_table[2];
    pg_call([&] {
        Oid schema = get_namespace_oid("reverse_etl", false);
        const char *names[] = {"outbox", outbox_table_name(destination_)};
        for (int i = 0; i < 2; i++) {
            LOCKTAG tag;
            SET_LOCKTAG_RELATION(tag, MyDatabaseId, get_relname_relid(names[i], schema));
            of_table[i].holders = GetLockConflicts(&tag, ShareLock, &of_table[i].count);
            // The array is used again by the next call.
            auto *copy =
                static_cast<VirtualTransactionId *>(palloc(sizeof(VirtualTransactionId) * (of_table[i].count + 1)));
            std::copy_n(of_table[i].holders, of_table[i].count, copy);
            of_table[i].holders = copy;
        }
    });
    for (const auto &[holders, count] : of_table)
        found.insert(found.end(), holders, holders + count);
    return found;
}

std::vector<StoredRow> Outbox::claim(const KeyQueue &known, std::size_t most, bool &more) {
    // First the highest number that is seen, then who is writing, then the rows: a row up to that number which is not
    // among them belongs to one of those writers.
    std::int64_t highest = pg_call([&] {
        const char *query = psprintf(R"(
            SELECT GREATEST(
                (SELECT id FROM ONLY reverse_etl.outbox WHERE destination = $1
                  ORDER BY destination DESC, id DESC LIMIT 1),
                (SELECT id FROM ONLY reverse_etl.%s WHERE destination = $1
                  ORDER BY destination DESC, id DESC LIMIT 1)))",
                                     outbox_table_name(destination_));
        sql::execute(query, {sql::oid(destination_)});
        bool is_null;
        Datum value = sql::column(0, 1, &is_null);
        return is_null ? std::int64_t{-1} : DatumGetInt64(value);
    });
    std::vector<VirtualTransactionId> now_writing = writers();
    pg_call([] {
        PopActiveSnapshot();
        PushActiveSnapshot(GetLatestSnapshot());
    });
    bool late_rows =
        std::any_of(writers_.begin(), writers_.end(), [&](const auto &writer) { return ended(writer, now_writing); });
    std::vector<StoredRow> rows = read(late_rows ? safe_ : high_, known, most, more);
    if (more) {
        // As if the others had not been there; what was to be looked for beyond is looked for again.
        highest = std::min(highest, static_cast<std::int64_t>(rows.back().row->id));
        if (late_rows)
            return rows;
    }
    high_ = std::max(high_, highest);
    bool none_left = std::all_of(writers_at_mark_.begin(), writers_at_mark_.end(),
                                 [&](const auto &writer) { return ended(writer, now_writing); });
    if (none_left) {
        safe_ = now_writing.empty() ? high_ : mark_;
        mark_ = high_;
        writers_at_mark_ = now_writing;
    }
    writers_ = std::move(now_writing);
    return rows;
}

/// The rows with greater numbers, as many as are asked for, without those that are known.
std::vector<StoredRow> Outbox::read(std::int64_t after, const KeyQueue &known, std::size_t most, bool &more) {
    long limit = static_cast<long>(most + known.known());
    uint64 count = pg_call([&] {
        const char *query = psprintf(R"(
            (SELECT %s, false FROM ONLY reverse_etl.outbox
              WHERE destination = $1 AND id > $2
              ORDER BY destination, id LIMIT $3)
            UNION ALL
            (SELECT %s, true FROM ONLY reverse_etl.%s
              WHERE destination = $1 AND id > $2
              ORDER BY destination, id LIMIT $3)
            ORDER BY 1 LIMIT $3)",
                                     columns, columns, outbox_table_name(destination_));
        return sql::execute(query, {sql::oid(destination_), sql::int8(after), sql::int8(limit)});
    });
    std::vector<StoredRow> rows = stored_rows(count, &known);
    more = count == static_cast<uint64>(limit) && !rows.empty();
    // A commit that was not flushed to disk could be lost in a crash, and its rows must not leave before that is ruled
    // out.
    if (!rows.empty())
        pg_call([] { XLogFlush(end_of_log()); });
    return rows;
}

void Outbox::start_over() {
    *this = Outbox(destination_);
}

std::string Outbox::table_name(int table) const {
    return table == own ? pg_call([&] { return outbox_table_name(destination_); }) : "outbox";
}

void Outbox::remove(const std::vector<Settled> &rows) {
    for (int table : {shared, own}) {
        IdRanges ranges(ids_of(rows, table));
        if (ranges.first.empty())
            continue;
        std::string name = table_name(table);
        pg_call([&] {
            const char *query = psprintf(R"(
                DELETE FROM ONLY reverse_etl.%s AS o
                 USING ROWS FROM (unnest($2), unnest($3)) AS settled (first, last)
                 WHERE o.destination = $1 AND o.id >= settled.first AND o.id <= settled.last)",
                                         name.c_str());
            sql::execute(query, {sql::oid(destination_), sql::int8s(ranges.first), sql::int8s(ranges.last)});
        });
    }
}

void Outbox::count(const std::map<std::int64_t, Counts> &pushes) {
    std::vector<int64> ids, accepted, rejected, absent, replaced;
    for (const auto &[id, counts] : pushes) {
        ids.push_back(id);
        accepted.push_back(counts.accepted);
        rejected.push_back(counts.rejected);
        absent.push_back(counts.absent);
        replaced.push_back(counts.replaced);
    }
    pg_call([&] {
        sql::execute(
            R"(
            UPDATE reverse_etl.audit_log AS a
               SET accepted = a.accepted + n.accepted, rejected = a.rejected + n.rejected,
                   absent = a.absent + n.absent, replaced = a.replaced + n.replaced,
                   outcome = CASE WHEN n.of_all + a.accepted + a.rejected + a.absent + a.replaced >= a.rows
                                  THEN 'completed' ELSE a.outcome END,
                   finished_at = CASE WHEN n.of_all + a.accepted + a.rejected + a.absent + a.replaced >= a.rows
                                      THEN clock_timestamp() END
              FROM (SELECT *, accepted + rejected + absent + replaced AS of_all
                      FROM ROWS FROM (unnest($1), unnest($2), unnest($3), unnest($4), unnest($5))
                           AS _ (id, accepted, rejected, absent, replaced)) AS n
             WHERE a.id = n.id)",
            {sql::int8s(ids), sql::int8s(accepted), sql::int8s(rejected), sql::int8s(absent), sql::int8s(replaced)});
    });
}

void Outbox::reject(const std::string &destination, const std::vector<Rejected> &rows) {
    for (int table : {shared, own}) {
        std::vector<int64> ids = ids_of(rows, table), statuses;
        std::vector<std::string> keys, objects, reasons;
        for (const Rejected &row : rows)
            if (row.table == table) {
                keys.push_back(row.key);
                objects.push_back(row.row);
                reasons.push_back(row.reason);
                statuses.push_back(row.status);
            }
        if (ids.empty())
            continue;
        std::string name = table_name(table);
        pg_call([&] {
            const char *query = psprintf(R"(
                WITH gone AS (
                    DELETE FROM ONLY reverse_etl.%s AS o
                     USING ROWS FROM (unnest($3), unnest($4), unnest($5),
                                      unnest($6), unnest($7))
                           AS rejected (id, key, "row", reason, status)
                     WHERE o.destination = $1 AND o.id = rejected.id
                 RETURNING o.push, o.operation, o.id, o.enqueued_at, o.enqueued_by, rejected.key, rejected."row",
                           rejected.reason, rejected.status)
                INSERT INTO reverse_etl.rejected_rows
                       (push, destination, operation, row_number, key, "row", reason, http_status, statement_at,
                        rejected_by)
                SELECT push, $2, operation, id, key::jsonb, "row"::jsonb, reason,
                       NULLIF(status, 0), enqueued_at, pg_get_userbyid(enqueued_by)
                  FROM gone)",
                                         name.c_str());
            sql::execute(query, {sql::oid(destination_), sql::text(destination), sql::int8s(ids), sql::texts(keys),
                                 sql::texts(objects), sql::texts(reasons), sql::int8s(statuses)});
        });
    }
}

std::vector<Outbox::TakenOut> Outbox::take_out(int32 sync) {
    std::vector<TakenOut> rows;
    for (int table : {shared, own}) {
        std::string name = table_name(table);
        uint64 count = pg_call([&] {
            const char *query =
                psprintf("DELETE FROM ONLY reverse_etl.%s WHERE destination = $1 AND sync = $2 "
                         "RETURNING id, COALESCE(octet_length(key::text), 0)::bigint + octet_length(\"row\"::text), "
                         "operation <> 'create' AND (reasons IS NOT NULL OR enqueued_at < $3)",
                         name.c_str());
            return sql::execute(query, {sql::oid(destination_), sql::int4(sync), sql::timestamptz(MyStartTimestamp)});
        });
        for (uint64 i = 0; i < count; i++)
            rows.push_back(pg_call([&] {
                return TakenOut{DatumGetInt64(sql::column(i, 1)),
                                static_cast<std::size_t>(DatumGetInt64(sql::column(i, 2))),
                                DatumGetBool(sql::column(i, 3))};
            }));
    }
    return rows;
}

void Outbox::defer(const std::vector<Deferred> &rows) {
    for (int table : {shared, own}) {
        std::vector<int64> ids = ids_of(rows, table), attempts, pauses;
        std::vector<std::string> reasons;
        for (const Deferred &row : rows)
            if (row.table == table) {
                attempts.push_back(row.attempts);
                pauses.push_back(row.pause_ms);
                reasons.push_back(row.reason);
            }
        if (ids.empty())
            continue;
        std::string name = table_name(table);
        pg_call([&] {
            const char *query = psprintf(R"(
                UPDATE ONLY reverse_etl.%s AS o
                   SET attempts = deferred.attempts,
                       next_attempt_at = now() +
                           make_interval(secs => deferred.pause_ms::float8
                                                            / 1000),
                       reasons = CASE WHEN deferred.reason IS NULL THEN o.reasons
                                      ELSE array_append(o.reasons, deferred.reason) END
                  FROM ROWS FROM (unnest($2), unnest($3), unnest($4), unnest($5))
                       AS deferred (id, attempts, pause_ms, reason)
                 WHERE o.destination = $1 AND o.id = deferred.id)",
                                         name.c_str());
            sql::execute(query, {sql::oid(destination_), sql::int8s(ids), sql::int8s(attempts), sql::int8s(pauses),
                                 sql::texts(reasons)});
        });
    }
}

std::vector<StoredRow> Outbox::expired(long ttl_ms, std::size_t most) {
    // Numbers rise with time, so the oldest rows are the first ones; the index gives them without looking at the rest.
    uint64 count = pg_call([&] {
        const char *query = psprintf(R"(
            SELECT * FROM (
                (SELECT %s, false FROM ONLY reverse_etl.outbox
                  WHERE destination = $1 ORDER BY destination, id LIMIT $3)
                UNION ALL
                (SELECT %s, true FROM ONLY reverse_etl.%s
                  WHERE destination = $1 ORDER BY destination, id LIMIT $3)) AS oldest
             WHERE enqueued_at < now() -
                   make_interval(secs => $2::float8 / 1000))",
                                     columns, columns, outbox_table_name(destination_));
        return sql::execute(query, {sql::oid(destination_), sql::int8(ttl_ms), sql::int8(static_cast<int64>(most))});
    });
    return stored_rows(count, nullptr);
}

std::pair<std::int64_t, std::int64_t> Outbox::count_all() {
    struct Level {
        std::int64_t rows, bytes;
    } level = pg_call([&] {
        sql::execute("SELECT count(*), COALESCE(sum(octet_length(key::text) + octet_length(\"row\"::text)), 0)::bigint "
                     "FROM reverse_etl.outbox WHERE destination = $1",
                     {sql::oid(destination_)});
        return Level{DatumGetInt64(sql::column(0, 1)), DatumGetInt64(sql::column(0, 2))};
    });
    return {level.rows, level.bytes};
}

bool Outbox::truncate_if_empty() {
    return pg_call([&] {
        const char *name = outbox_table_name(destination_);
        Oid table = get_relname_relid(name, get_namespace_oid("reverse_etl", false));
        if (!OidIsValid(table) || !ConditionalLockRelationOid(table, AccessExclusiveLock))
            return false;
        // Nobody writes now, so what is seen is all there is.
        PopActiveSnapshot();
        PushActiveSnapshot(GetLatestSnapshot());
        if (sql::execute(psprintf("SELECT FROM ONLY reverse_etl.%s LIMIT 1", name), {}) > 0)
            return false;
        if (SPI_execute(psprintf("TRUNCATE ONLY reverse_etl.%s", name), false, 0) < 0)
            elog(ERROR, "could not truncate table reverse_etl.%s", name);
        return true;
    });
}

} // namespace reverse_etl
