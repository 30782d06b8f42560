#include "postgres/outbox/jobs.h"

#include "engine/text/json.h"
#include "postgres/border/border.h"
#include "postgres/border/id_ranges.h"
#include "postgres/border/sql.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace reverse_etl {

namespace {

/// In letters that every encoding of a database has.
std::string text_of(const JobValues &values) {
    return Json(values).dump(-1, ' ', true, Json::error_handler_t::replace);
}

} // namespace

std::vector<JobRecord> OutboxJobs::read() {
    if (std::exchange(is_read_, true))
        return {};
    // A job has as many lines as ranges of rows, and those of the changes that its rows stand for.
    const uint64 count = pg_call([&] {
        return sql::execute(R"(
            SELECT j.job, j.submitted, extract(epoch FROM clock_timestamp() - j.made_at)::bigint, j.kept::text,
                   line.kind, line.a, line.b
              FROM reverse_etl_internal.outbox_jobs AS j,
                   LATERAL (SELECT 1 AS kind, lower(range) AS a, upper(range) AS b FROM unnest(j.rows) AS range
                            UNION ALL
                            SELECT 2, older, newer FROM ROWS FROM (unnest(j.replaced), unnest(j.replaced_by))
                                                        AS _ (older, newer)) AS line
             WHERE j.destination = $1
             ORDER BY j.job DESC, line.kind, line.a)",
                            {sql::oid(destination_)});
    });
    std::vector<JobRecord> records;
    for (uint64 i = 0; i < count; i++) {
        struct {
            int64 number, age, a, b;
            int32 kind;
            bool submitted;
        } line = pg_call([&] {
            return decltype(line){DatumGetInt64(sql::column(i, 1)), DatumGetInt64(sql::column(i, 3)),
                                  DatumGetInt64(sql::column(i, 6)), DatumGetInt64(sql::column(i, 7)),
                                  DatumGetInt32(sql::column(i, 5)), DatumGetBool(sql::column(i, 2))};
        });
        if (records.empty() || records.back().number != line.number) {
            JobRecord record;
            record.number = line.number;
            record.submitted = line.submitted;
            record.age = std::chrono::seconds(std::max<int64>(0, line.age));
            record.is_stored = true;
            record.values = Json::parse(pg_call([&] { return sql::text_column(i, 4); })).get<JobValues>();
            records.push_back(std::move(record));
            next_ = std::max(next_, line.number + 1);
        }
        JobRecord &record = records.back();
        if (line.kind == 2)
            record.replaced.emplace_back(line.a, line.b);
        else
            for (int64 id = line.a; id < line.b; id++)
                record.rows.push_back(static_cast<std::uint64_t>(id));
    }
    return records;
}

void OutboxJobs::note(const std::vector<const JobRecord *> &records) const {
    for (const JobRecord *record : records) {
        std::vector<int64> rows(record->rows.begin(), record->rows.end()), older, newer;
        for (const auto &[replaced, by] : record->replaced) {
            older.push_back(static_cast<int64>(replaced));
            newer.push_back(static_cast<int64>(by));
        }
        const IdRanges ranges(rows);
        const std::string kept = text_of(record->values);
        pg_call([&] {
            sql::execute(R"(
                INSERT INTO reverse_etl_internal.outbox_jobs
                       (destination, job, rows, replaced, replaced_by, kept, submitted, made_at)
                SELECT $1, $2, range_agg(int8range(first, last, '[]')), $5, $6, $7, $8 <> 0, clock_timestamp()
                  FROM ROWS FROM (unnest($3), unnest($4)) AS _ (first, last)
                ON CONFLICT (destination, job) DO UPDATE SET kept = EXCLUDED.kept, submitted = EXCLUDED.submitted)",
                         {sql::oid(destination_), sql::int8(record->number), sql::int8s(ranges.first),
                          sql::int8s(ranges.last), sql::int8s(older), sql::int8s(newer), sql::json(kept),
                          sql::int4(record->submitted ? 1 : 0)});
        });
    }
}

void OutboxJobs::store() const {
    if (ended_.empty())
        return;
    pg_call([&] {
        sql::execute("DELETE FROM reverse_etl_internal.outbox_jobs WHERE destination = $1 AND job = ANY ($2)",
                     {sql::oid(destination_), sql::int8s(ended_)});
    });
}

} // namespace reverse_etl
