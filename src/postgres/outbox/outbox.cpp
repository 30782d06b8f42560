#include "postgres/outbox/outbox.h"

#include "engine/manifest/connector.h"
#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"
#include "postgres/border/sql.h"
#include "postgres/border/table_writer.h"
#include "postgres/outbox/removal.h"
#include "postgres/outbox/scan.h"
#include "postgres/outbox/table.h"

#include <algorithm>

extern "C" {
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

bool ended(const VirtualTransactionId &transaction, const std::vector<VirtualTransactionId> &running) {
    return std::none_of(running.begin(), running.end(), [&](const VirtualTransactionId &other) {
        return VirtualTransactionIdEquals(transaction, other);
    });
}

std::vector<FoundPlace> places_of(const auto &rows, int table) {
    std::vector<FoundPlace> places;
    for (const auto &row : rows)
        if (row.table == table)
            places.push_back({row.id, row.place});
    return places;
}

std::vector<int64> ids_of(const auto &rows, int table) {
    std::vector<int64> ids;
    for (const auto &row : rows)
        if (row.table == table)
            ids.push_back(row.id);
    return ids;
}

/// Takes the texts of the row that was found last.
StoredRow stored_row(OutboxScan &scan, const FoundRow &found, int table, KeyQueue::Row row) {
    StoredRow stored;
    stored.operation = found.operation;
    stored.deliver_as = found.deliver_as;
    stored.enqueued_at = found.enqueued_at;
    stored.next_attempt_at = found.next_attempt_at;
    stored.row = std::move(row);
    stored.row->id = static_cast<std::uint64_t>(found.id);
    stored.row->push = found.push;
    stored.row->sync = found.sync;
    stored.row->stored_bytes = found.key.size() + found.row.size();
    scan.give_texts(stored.row->row, stored.row->key, stored.row->values);
    // The worker before may have sent it. A create would have been noted.
    stored.row->may_be_done =
        stored.operation != operation_name(OperationKind::create) && found.enqueued_at < MyStartTimestamp;
    stored.row->attempts = found.attempts;
    stored.row->role = found.deliver_as;
    stored.row->table = table;
    stored.row->place = found.place;
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

/// Writers draw numbers by the thousand.
std::int64_t highest_number_drawn() {
    return pg_call([] {
        LOCAL_FCINFO(call, 1);
        InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
        call->args[0] = {ObjectIdGetDatum(internal_relation("outbox_id_seq")), false};
        const Datum drawn = pg_sequence_last_value(call);
        // Of one that nobody has drawn from it is NULL.
        return ((call->isnull ? 0 : DatumGetInt64(drawn)) + 1) * TableWriter::most_rows - 1;
    });
}

} // namespace

std::vector<Oid> Outbox::destinations() {
    // The shared table is small, but for the first rows of a destination; its index is skipped through.
    constexpr const char *query = R"(
        SELECT substr(relname, 8)::oid
          FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
         WHERE inhparent = 'reverse_etl_internal.outbox'::regclass
        UNION
        (WITH RECURSIVE skipped (destination) AS (
            (SELECT destination::oid FROM ONLY reverse_etl_internal.outbox ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT o.destination::oid FROM ONLY reverse_etl_internal.outbox AS o
                     WHERE o.destination > skipped.destination ORDER BY 1 LIMIT 1)
              FROM skipped WHERE destination IS NOT NULL)
         SELECT destination FROM skipped WHERE destination IS NOT NULL))";
    uint64 count = pg_call([&] { return sql::execute(query, {}); });
    std::vector<Oid> found;
    for (uint64 i = 0; i < count; i++)
        found.push_back(pg_call([&] { return DatumGetObjectId(sql::column(i, 1)); }));
    return found;
}

/// Those who may have drawn numbers for rows that nobody sees yet: they hold the lock that writing takes.
std::vector<VirtualTransactionId> Outbox::writers() const {
    std::vector<VirtualTransactionId> found;
    struct {
        VirtualTransactionId *holders;
        int count;
    } of_table[2];
    pg_call([&] {
        const Oid tables[] = {internal_relation("outbox"), internal_relation(outbox_table_name(destination_))};
        for (int i = 0; i < 2; i++) {
            LOCKTAG tag;
            SET_LOCKTAG_RELATION(tag, MyDatabaseId, tables[i]);
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

std::vector<StoredRow> Outbox::claim(KeyQueue &known, std::size_t most, bool &more) {
    // First the highest number that was drawn, then who is writing, then the rows: a row up to that number which is not
    // among them belongs to one of those writers.
    std::int64_t highest = highest_number_drawn();
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

/// The rows with greater numbers that are not known, as many as are asked for.
std::vector<StoredRow> Outbox::read(std::int64_t after, KeyQueue &known, std::size_t most, bool &more) {
    OutboxScan of_shared(table_oid(shared), destination_, after), of_own(table_oid(own), destination_, after);
    const FoundRow *in_shared = of_shared.next(), *in_own = of_own.next();
    std::vector<StoredRow> rows;
    if (in_shared != nullptr || in_own != nullptr)
        rows.reserve(most);
    more = false;
    while (!more && (in_shared != nullptr || in_own != nullptr)) {
        bool is_shared = in_own == nullptr || (in_shared != nullptr && in_shared->id < in_own->id);
        const FoundRow *&found = is_shared ? in_shared : in_own;
        if (!known.contains(static_cast<std::uint64_t>(found->id))) {
            more = rows.size() == most;
            if (!more) {
                const int table = is_shared ? shared : own;
                const bool is_like_last = found->values != nullptr && !rows.empty() &&
                                          rows.back().row->place == found->place && rows.back().row->table == table;
                rows.push_back(stored_row(is_shared ? of_shared : of_own, *found, table, known.new_row()));
                rows.back().is_like_last = is_like_last;
            }
        }
        found = (is_shared ? of_shared : of_own).next();
    }
    of_shared.end();
    of_own.end();
    // A commit that was not flushed to disk could be lost in a crash, and its rows must not leave before that is ruled
    // out.
    if (!rows.empty())
        pg_call([] { XLogFlush(end_of_log()); });
    return rows;
}

std::vector<StoredRow> Outbox::find(const std::vector<std::int64_t> &ids, KeyQueue &known) const {
    std::vector<StoredRow> rows;
    for (int table : {shared, own})
        for_each_row(table_oid(table), destination_, ids, [&](OutboxScan &scan, const FoundRow &found) {
            if (!known.contains(static_cast<std::uint64_t>(found.id)))
                rows.push_back(stored_row(scan, found, table, known.new_row()));
        });
    std::sort(rows.begin(), rows.end(),
              [](const StoredRow &one, const StoredRow &other) { return one.row->id < other.row->id; });
    return rows;
}

void Outbox::start_over() {
    *this = Outbox(destination_);
}

Oid Outbox::table_oid(int table) const {
    return pg_call([&] { return internal_relation(table == own ? outbox_table_name(destination_) : "outbox"); });
}

std::string Outbox::table_name(int table) const {
    const char *name = pg_call([&] { return table == own ? outbox_table_name(destination_) : "outbox"; });
    return std::string(internal_schema) + "." + name;
}

/// The name of the table, in which SQL finds each of the rows by itself then.
std::string Outbox::unpack(std::vector<FoundPlace> rows, int table) const {
    unpack_rows(table_oid(table), destination_, std::move(rows));
    return table_name(table);
}

void Outbox::remove(const std::vector<SettledRow> &rows) {
    for (int table : {shared, own})
        if (std::vector<FoundPlace> found = places_of(rows, table); !found.empty())
            remove_rows(table_oid(table), destination_, std::move(found));
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

void Outbox::reject(const std::string &destination, const std::vector<RowToReject> &rows) {
    for (int table : {shared, own}) {
        std::vector<int64> ids = ids_of(rows, table), statuses;
        std::vector<std::string> reasons;
        for (const RowToReject &row : rows)
            if (row.table == table) {
                reasons.push_back(row.reason);
                statuses.push_back(row.status);
            }
        if (ids.empty())
            continue;
        const std::string name = unpack(places_of(rows, table), table);
        pg_call([&] {
            const char *query = psprintf(R"(
                WITH gone AS (
                    DELETE FROM ONLY %s AS o
                     USING ROWS FROM (unnest($3), unnest($4), unnest($5)) AS rejected (id, reason, status)
                     WHERE o.destination = $1 AND o.id = rejected.id
                 RETURNING o.push, o.operation, o.id, o.enqueued_at, o.enqueued_by, o.key, o."row",
                           rejected.reason, rejected.status)
                INSERT INTO reverse_etl.rejected_rows
                       (push, destination, destination_name, operation, row_number, key, "row", reason, http_status,
                        statement_at, rejected_by, role_id)
                SELECT push, (SELECT oid FROM pg_class WHERE oid = $1),
                       COALESCE((SELECT format('%%I.%%I', n.nspname, c.relname)
                                   FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                  WHERE c.oid = $1), $2), operation, id,
                       reverse_etl_internal.kept_json(key::text), reverse_etl_internal.kept_json("row"::text),
                       COALESCE(reason, ''), NULLIF(status, 0), enqueued_at, pg_get_userbyid(enqueued_by), enqueued_by
                  FROM gone)",
                                         name.c_str());
            sql::execute_once(query, {sql::oid(destination_), sql::text(destination), sql::int8s(ids),
                                      sql::texts(reasons), sql::int8s(statuses)});
        });
    }
}

std::vector<Outbox::RowOfSync> Outbox::of_sync(int32 sync, std::size_t most) {
    std::vector<RowOfSync> rows;
    for (int table : {shared, own}) {
        std::string name = table_name(table);
        uint64 count = pg_call([&] {
            const char *query =
                psprintf("SELECT o.id, COALESCE(push, 0), COALESCE(octet_length(o.key::text), 0)::bigint + "
                         "octet_length(o.\"row\"::text), "
                         "operation <> 'create' AND (reasons IS NOT NULL OR enqueued_at < $3) "
                         "FROM ONLY %s AS t CROSS JOIN LATERAL "
                         "(SELECT t.id, t.key, t.\"row\" WHERE t.pack IS NULL UNION ALL "
                         "SELECT * FROM reverse_etl_internal.unpacked(t.id, t.pack)) AS o "
                         "WHERE destination = $1 AND sync = $2 "
                         "AND NOT EXISTS (SELECT FROM reverse_etl_internal.outbox_requests AS r "
                         "WHERE r.destination = $1 AND o.id <@ r.rows) "
                         "AND NOT EXISTS (SELECT FROM reverse_etl_internal.outbox_jobs AS j "
                         "WHERE j.destination = $1 AND (o.id <@ j.rows OR o.id = ANY (j.replaced))) "
                         "LIMIT $4",
                         name.c_str());
            return sql::execute_once(query,
                                     {sql::oid(destination_), sql::int4(sync), sql::timestamptz(MyStartTimestamp),
                                      sql::int8(static_cast<int64>(most - rows.size()))});
        });
        for (uint64 i = 0; i < count; i++) {
            auto row = std::make_unique<QueuedRow>();
            bool in_doubt = pg_call([&] {
                row->id = static_cast<std::uint64_t>(DatumGetInt64(sql::column(i, 1)));
                row->push = DatumGetInt64(sql::column(i, 2));
                row->stored_bytes = static_cast<std::size_t>(DatumGetInt64(sql::column(i, 3)));
                return DatumGetBool(sql::column(i, 4));
            });
            row->table = table;
            row->sync = sync;
            row->place = no_place;
            rows.push_back({{std::move(row), "", InvalidOid, 0, 0}, in_doubt});
        }
    }
    return rows;
}

void Outbox::defer(const std::vector<DeferredRow> &rows) {
    for (int table : {shared, own}) {
        std::vector<int64> ids = ids_of(rows, table), attempts, pauses;
        std::vector<std::string> reasons;
        for (const DeferredRow &row : rows)
            if (row.table == table) {
                attempts.push_back(row.attempts);
                pauses.push_back(row.pause_ms);
                reasons.push_back(row.reason);
            }
        if (ids.empty())
            continue;
        const std::string name = unpack(places_of(rows, table), table);
        pg_call([&] {
            const char *query = psprintf(R"(
                UPDATE ONLY %s AS o
                   SET attempts = deferred.attempts,
                       next_attempt_at = now() +
                           make_interval(secs => deferred.pause_ms::float8
                                                            / 1000),
                       reasons = CASE WHEN deferred.reason IS NULL THEN o.reasons
                                      ELSE o.reasons[GREATEST(1, cardinality(o.reasons) - $6 + 2):]
                                           || deferred.reason END
                  FROM ROWS FROM (unnest($2), unnest($3), unnest($4), unnest($5))
                       AS deferred (id, attempts, pause_ms, reason)
                 WHERE o.destination = $1 AND o.id = deferred.id)",
                                         name.c_str());
            sql::execute_once(query, {sql::oid(destination_), sql::int8s(ids), sql::int8s(attempts), sql::int8s(pauses),
                                      sql::texts(reasons), sql::int4(most_reasons)});
        });
    }
}

std::vector<StoredRow> Outbox::expired(long ttl_ms, std::size_t most) const {
    // Numbers rise with time, so the oldest rows are the first ones; the index gives them without looking at the rest.
    TimestampTz oldest = GetCurrentTimestamp() - static_cast<TimestampTz>(ttl_ms) * 1000;
    std::vector<StoredRow> rows;
    for (int table : {shared, own}) {
        OutboxScan scan(table_oid(table), destination_, -1);
        const FoundRow *found = scan.next();
        for (std::size_t i = 0; i < most && found != nullptr; i++, found = scan.next())
            if (found->enqueued_at < oldest)
                rows.push_back(stored_row(scan, *found, table, std::make_unique<QueuedRow>()));
        scan.end();
    }
    return rows;
}

std::pair<std::int64_t, std::int64_t> Outbox::count_all() {
    struct Level {
        std::int64_t rows, bytes;
    } level = pg_call([&] {
        sql::execute(
            "SELECT count(*), COALESCE(sum(COALESCE(octet_length(key::text), 0) + octet_length(\"row\"::text)), "
            "0)::bigint FROM reverse_etl.outbox WHERE destination = $1",
            {sql::oid(destination_)});
        return Level{DatumGetInt64(sql::column(0, 1)), DatumGetInt64(sql::column(0, 2))};
    });
    return {level.rows, level.bytes};
}

} // namespace reverse_etl
