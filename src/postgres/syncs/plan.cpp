#include "postgres/syncs/plan.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/columns_json.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_text.h"
#include "postgres/streams/statements.h"
#include "postgres/syncs/guards.h"
#include "postgres/syncs/model.h"
#include "postgres/syncs/operations.h"
#include "postgres/syncs/rows.h"
#include "postgres/syncs/run_times.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

using Change = SyncRow::Change;

/// A row that would be sent or refused.
struct PlannedRow {
    const char *operation;
    std::string key, sent, reason; ///< JSON but for the reason
    std::string key_text;          ///< by which the destination knows it; "" where it need not be asked
};

/// Writes down what would be done.
class PlanSink final : public SyncSink {
  public:
    PlanSink(const SyncDefinition &sync, const SyncOperations &operations, std::size_t max_rows, MemoryContext context)
        : sync_(sync), operations_(operations), max_rows_(max_rows), scratch_(pg_call([&] {
              return AllocSetContextCreate(context, "reverse_etl planned row", ALLOCSET_SMALL_SIZES);
          })) {}

    std::string send(const SyncRow &row, TupleTableSlot *made) override {
        const PushPlan &plan = row.change == Change::added     ? operations_.added
                               : row.change == Change::changed ? operations_.changed
                                                               : *operations_.removed;
        const char *operation =
            row.change == Change::removed && sync_.on_missing == "clear" ? "clear" : operation_name(plan.operation);
        Total &total = totals[operation];
        total.rows++;
        total.kind = plan.operation;
        if (rows.size() >= max_rows_)
            return "";
        PlannedRow planned{operation, key_of(row),
                           row.change == Change::removed ? "" : columns_as_json(row.found, sync_.columns, scratch_), "",
                           ""};
        if (row.change != Change::added && sync_.key.size() == 1)
            planned.key_text = text_of(made, sync_.key.front());
        rows.push_back(std::move(planned));
        return "";
    }

    void note(const SyncRow &) override {}

    void refuse(const SyncRow &row, bool, const std::string &reason, Refusal kind) override {
        const char *outcome = kind == Refusal::quarantined ? "quarantined"
                              : kind == Refusal::in_doubt  ? "in doubt"
                                                           : "invalid";
        totals[outcome].rows++;
        if (rows.size() < max_rows_)
            rows.push_back({outcome, key_of(row), columns_as_json(row.found, sync_.columns, scratch_), reason, ""});
    }

    struct Total {
        std::int64_t rows = 0;
        std::optional<OperationKind> kind; ///< none: nothing is sent
    };
    std::map<std::string, Total> totals;
    std::vector<PlannedRow> rows;

  private:
    std::string key_of(const SyncRow &row) { return columns_as_json(row.found, sync_.key, scratch_); }

    std::string text_of(TupleTableSlot *made, const std::string &name) {
        for (int i = 0; i < made->tts_tupleDescriptor->natts; i++) {
            const FormData_pg_attribute *attribute = TupleDescAttr(made->tts_tupleDescriptor, i);
            if (name == column_name(attribute) && !made->tts_isnull[i])
                return pg_call([&] { return printed_value(attribute->atttypid, made->tts_values[i]); }).utf8();
        }
        return "";
    }

    const SyncDefinition &sync_;
    const SyncOperations &operations_;
    std::size_t max_rows_;
    MemoryContext scratch_;
};

/// Whether the current role may read what it sends.
bool may_look_up(const Destination &destination, const std::vector<std::string> &columns) {
    Oid role = GetUserId();
    return std::all_of(columns.begin(), columns.end(), [&](const std::string &name) {
        AttrNumber attnum = destination.column_named(name)->attnum;
        return pg_call([&] {
            return pg_class_aclcheck(destination.relation, role, ACL_SELECT) == ACLCHECK_OK ||
                   pg_attribute_aclcheck(destination.relation, attnum, role, ACL_SELECT) == ACLCHECK_OK;
        });
    });
}

/// The values that the destination has of the rows, by key.
std::map<std::string, std::string> held_values(const SyncDefinition &sync, const Destination &destination,
                                               const std::vector<PlannedRow> &rows) {
    std::map<std::string, std::string> found;
    std::string keys, columns;
    for (const PlannedRow &row : rows)
        if (!row.key_text.empty())
            keys += (keys.empty() ? "" : ", ") + quoted_text(row.key_text);
    if (keys.empty() || !looks_up_by(destination, {sync.key.front()}))
        return found;
    for (const std::string &name : sync.columns)
        columns += (columns.empty() ? "" : ", ") + quoted_name(name);
    std::string key = quoted_name(sync.key.front());
    std::string table = qualified_name(sync.destination);
    std::string type;
    for (const DestinationColumn &column : destination.columns)
        if (column.name == sync.key.front())
            type = qualified_type_name(column.type);
    ResultRows held =
        ResultRows::of("SELECT " + key + "::text, row_to_json(d.*)::text FROM (SELECT " + columns + " FROM " + table +
                       " WHERE " + key + " = ANY (ARRAY[" + keys + "]::" + type + "[])) AS d");
    held.for_each([&](TupleTableSlot *slot) {
        pg_call([&] { slot_getallattrs(slot); });
        auto column = [&](int i) { return text_value(slot->tts_values[i]); };
        if (!slot->tts_isnull[0])
            found[column(0)] = column(1);
    });
    return found;
}

/// As rejected rows are kept: not all JSON has a form in jsonb. In the open connection to SPI.
Datum kept_json(const std::string &json) {
    if (json.empty())
        return static_cast<Datum>(0);
    sql::AsOwner owner;
    return pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.kept_json($1)", {sql::text(json)});
        return sql::column(0, 1);
    });
}

class Result {
  public:
    explicit Result(ReturnSetInfo *info) : info_(info) {}

    void put_total(const std::string &operation, std::int64_t rows, const OperationSpec *spec) {
        Line line{operation, rows};
        if (spec != nullptr) {
            line.requests = (rows + spec->rows - 1) / spec->rows;
            line.seconds = spec->shortest_seconds(*line.requests);
        }
        put(line);
    }
    /// `times`: of the whole plan, which every plan has one such row to tell in.
    void put_unchanged(std::int64_t rows, const RunTimes &times, bool has_looked_up) {
        Line line{"unchanged", rows};
        line.reading_ms = whole_ms(times.reading);
        line.comparing_ms = whole_ms(times.comparing);
        if (has_looked_up)
            line.requests_ms = whole_ms(times.requests);
        put(line);
    }
    void put_row(const PlannedRow &row, const std::string &old) {
        put({row.operation, 1, {}, 0, row.key, old, row.sent, row.reason});
    }
    void put_reason(const char *what, const std::string &reason) { put({what, 0, {}, 0, "", "", "", reason}); }

  private:
    /// The columns of plan_sync; a text that is empty is NULL.
    struct Line {
        std::string operation;
        std::int64_t rows;
        std::optional<std::int64_t> requests = {};
        double seconds = 0; ///< that the requests take at least
        std::string key = {}, old = {}, sent = {}, reason = {};
        std::optional<std::int64_t> reading_ms = {}, comparing_ms = {}, requests_ms = {};
    };

    static std::int64_t whole_ms(Clock::duration time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    }

    void put(const Line &line) {
        Datum keys = kept_json(line.key), before = kept_json(line.old), after = kept_json(line.sent);
        pg_call([&] {
            auto as_text = [](const std::string &value) {
                return value.empty() ? static_cast<Datum>(0) : text_datum(value);
            };
            auto as_int8 = [](const std::optional<std::int64_t> &value) { return Int64GetDatum(value.value_or(0)); };
            Datum duration = DirectFunctionCall7(make_interval, Int32GetDatum(0), Int32GetDatum(0), Int32GetDatum(0),
                                                 Int32GetDatum(0), Int32GetDatum(0), Int32GetDatum(0),
                                                 Float8GetDatum(std::ceil(line.seconds)));
            Datum values[] = {as_text(line.operation),
                              Int64GetDatum(line.rows),
                              as_int8(line.requests),
                              duration,
                              keys,
                              before,
                              after,
                              as_text(line.reason),
                              as_int8(line.reading_ms),
                              as_int8(line.comparing_ms),
                              as_int8(line.requests_ms)};
            bool nulls[] = {false,
                            false,
                            !line.requests,
                            !line.requests,
                            line.key.empty(),
                            line.old.empty(),
                            line.sent.empty(),
                            line.reason.empty(),
                            !line.reading_ms,
                            !line.comparing_ms,
                            !line.requests_ms};
            tuplestore_putvalues(info_->setResult, info_->setDesc, values, nulls);
        });
    }

    ReturnSetInfo *info_;
};

} // namespace

void plan_sync(const std::string &name, int max_rows, bool look_up, ReturnSetInfo *info) {
    MemoryContext context = CurrentMemoryContext;
    pg_call([] { SPI_connect(); });
    SyncDefinition sync = find_sync(name);
    lock_destination(sync);
    model_of(sync); // says what is wrong with it
    RunTimes times;
    SyncDiff diff = timed(times.reading, [&] { return SyncDiff::find(sync, SyncStatements(sync)); });
    Destination *destination = open_destination(sync.destination, context);
    Result result(info);
    {
        std::optional<ActAs> owner(std::in_place, sync.owner, sync.search_path);
        SyncOperations operations = SyncOperations::choose(sync, *destination);
        PlanSink sink(sync, operations, static_cast<std::size_t>(std::max(max_rows, 0)), CurrentMemoryContext);
        SyncCounts counts =
            timed(times.comparing, [&] { return take_apart(sync, diff, *destination, sink, CurrentMemoryContext); });
        std::map<std::string, std::string> held;
        const bool looks_up = look_up && may_look_up(*destination, sync.columns);
        if (looks_up)
            held = timed(times.requests, [&] { return held_values(sync, *destination, sink.rows); });
        owner.reset();
        for (const auto &[operation, total] : sink.totals)
            result.put_total(operation, total.rows, total.kind ? &destination->operation(*total.kind) : nullptr);
        result.put_unchanged(counts.queried - counts.added - counts.changed - counts.removed - counts.invalid, times,
                             looks_up);
        if (std::string reason = exceeded_guard(sync, std::nullopt, diff.known, counts); !reason.empty())
            result.put_reason("held", reason);
        for (const PlannedRow &row : sink.rows)
            result.put_row(row, held[row.key_text]);
    }
    pg_call([] { SPI_finish(); });
}

} // namespace reverse_etl
