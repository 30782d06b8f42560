#include "postgres/outbox/requests.h"

#include "postgres/border/border.h"
#include "postgres/border/id_ranges.h"
#include "postgres/border/sql.h"

#include <algorithm>
#include <map>
#include <utility>

namespace reverse_etl {

namespace {

/// Rows by request, as parameters: a range each.
struct NotedRanges {
    explicit NotedRanges(const std::map<std::int64_t, std::vector<std::int64_t>> &rows) {
        for (const auto &[number, ids] : rows) {
            IdRanges ranges(ids);
            request.insert(request.end(), ranges.first.size(), number);
            first.insert(first.end(), ranges.first.begin(), ranges.first.end());
            last.insert(last.end(), ranges.last.begin(), ranges.last.end());
        }
    }

    std::vector<int64> request, first, last;
};

/// Most destinations have none when the worker first sees them, and to read them is planned over all tables of the
/// outbox: with many destinations that takes longer than all else of a first look at one.
bool any_noted(Oid destination) {
    return pg_call([&] {
               return sql::execute("SELECT FROM reverse_etl_internal.outbox_requests WHERE destination = $1 LIMIT 1",
                                   {sql::oid(destination)});
           }) > 0;
}

} // namespace

void OutboxRequests::count_down(std::int64_t request) {
    auto left = left_.find(request);
    if (--left->second > 0)
        return;
    left_.erase(left);
    released_.erase(request);
    ended_.push_back(request);
}

void OutboxRequests::settled(const QueuedRow &row) {
    if (row.batch != 0)
        count_down(row.batch);
}

void OutboxRequests::released(QueuedRow &row) {
    if (row.batch == 0)
        return;
    released_[row.batch].push_back(static_cast<std::int64_t>(row.id));
    count_down(std::exchange(row.batch, 0));
}

void OutboxRequests::read() {
    if (std::exchange(is_read_, true) || !any_noted(destination_))
        return;
    uint64 count = pg_call([&] {
        return sql::execute(R"(
            SELECT r.request, o.id
              FROM reverse_etl_internal.outbox_requests AS r
                   LEFT JOIN LATERAL (SELECT o.id FROM unnest(r.rows) AS range, reverse_etl_internal.outbox AS o
                                       WHERE o.destination = $1 AND o.id >= lower(range) AND o.id < upper(range)
                                         AND o.pack IS NULL
                                      UNION ALL
                                      SELECT p.id FROM unnest(r.rows) AS range, reverse_etl_internal.outbox AS o,
                                                       reverse_etl_internal.unpacked(o.id, o.pack) AS p
                                       WHERE o.destination = $1 AND o.id >= lower(range) - 255 AND o.id < upper(range)
                                         AND o.pack IS NOT NULL AND p.id >= lower(range) AND p.id < upper(range)) AS o
                   ON true
             WHERE r.destination = $1
             ORDER BY r.request DESC)",
                            {sql::oid(destination_)});
    });
    for (uint64 i = 0; i < count; i++) {
        struct {
            int64 request, id;
            bool has_no_rows;
        } row = pg_call([&] {
            bool is_null;
            int64 request = DatumGetInt64(sql::column(i, 1)), id = DatumGetInt64(sql::column(i, 2, &is_null));
            return decltype(row){request, id, is_null};
        });
        next_ = std::max(next_, row.request + 1);
        std::size_t &left = left_[row.request];
        // Where it is not written yet that a row waited again, its last request counts.
        if (!row.has_no_rows && found_.emplace(row.id, row.request).second)
            left++;
    }
    std::erase_if(left_, [this](const auto &request) {
        if (request.second == 0)
            ended_.push_back(request.first);
        return request.second == 0;
    });
}

std::int64_t OutboxRequests::take(std::uint64_t id) {
    auto found = found_.extract(id);
    if (found.empty())
        return 0;
    taken_.insert(found.mapped());
    return found.mapped();
}

std::vector<std::int64_t> OutboxRequests::rest_of_taken() const {
    std::vector<std::int64_t> rest;
    for (const auto &[id, request] : found_)
        if (taken_.contains(request))
            rest.push_back(static_cast<std::int64_t>(id));
    return rest;
}

void OutboxRequests::noted(const std::vector<QueuedRow *> &rows) {
    for (const QueuedRow *row : rows)
        left_[row->batch]++;
}

void OutboxRequests::note(const std::vector<QueuedRow *> &rows) const {
    std::map<std::int64_t, std::vector<std::int64_t>> by_request;
    for (const QueuedRow *row : rows)
        by_request[row->batch].push_back(static_cast<std::int64_t>(row->id));
    if (by_request.empty())
        return;
    NotedRanges noted(by_request);
    pg_call([&] {
        sql::execute(
            R"(
            INSERT INTO reverse_etl_internal.outbox_requests (destination, request, rows)
            SELECT $1, request, range_agg(int8range(first, last, '[]'))
              FROM ROWS FROM (unnest($2), unnest($3), unnest($4)) AS _ (request, first, last)
             GROUP BY request)",
            {sql::oid(destination_), sql::int8s(noted.request), sql::int8s(noted.first), sql::int8s(noted.last)});
    });
}

void OutboxRequests::store() const {
    if (!released_.empty()) {
        NotedRanges released(released_);
        pg_call([&] {
            sql::execute(R"(
                UPDATE reverse_etl_internal.outbox_requests AS r SET rows = r.rows - released.rows
                  FROM (SELECT request, range_agg(int8range(first, last, '[]')) AS rows
                          FROM ROWS FROM (unnest($2), unnest($3), unnest($4)) AS _ (request, first, last)
                         GROUP BY request) AS released
                 WHERE r.destination = $1 AND r.request = released.request)",
                         {sql::oid(destination_), sql::int8s(released.request), sql::int8s(released.first),
                          sql::int8s(released.last)});
        });
    }
    if (!ended_.empty()) {
        pg_call([&] {
            sql::execute(
                "DELETE FROM reverse_etl_internal.outbox_requests WHERE destination = $1 AND request = ANY ($2)",
                {sql::oid(destination_), sql::int8s(ended_)});
        });
    }
}

void OutboxRequests::forget_changes() {
    released_.clear();
    ended_.clear();
}

void OutboxRequests::start_over() {
    is_read_ = false;
    found_.clear();
    taken_.clear();
    left_.clear();
}

} // namespace reverse_etl
