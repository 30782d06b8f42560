#include "postgres/sources/source_plan.h"

#include "engine/sources/cell_text.h"
#include "engine/text/one_query.h"
#include "postgres/border/border.h"

#include <algorithm>

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Where the other plans have a number that is none of theirs.
constexpr int mark = -1;
constexpr int numbers_of_condition = 5;

constexpr std::int64_t days_between_epochs = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

/// ISO 8601 in UTC.
std::string moment_text(Timestamp moment, bool has_zone) {
    std::string text;
    append_cell(text, CellForm::micros, std::to_string(moment + days_between_epochs * USECS_PER_DAY));
    return has_zone ? text : text.substr(0, text.find('+'));
}

} // namespace

List *to_list(const SourcePlan &plan) {
    List *retrieved = NIL, *conditions = NIL;
    for (AttrNumber attnum : plan.retrieved)
        retrieved = lappend_int(retrieved, attnum);
    for (const ShippedCondition &one : plan.conditions)
        for (const int number : {static_cast<int>(one.column), static_cast<int>(one.comparison), one.value,
                                 one.is_array ? 1 : 0, one.is_exact ? 1 : 0})
            conditions = lappend_int(conditions, number);
    return list_make4(makeInteger(mark), retrieved, conditions, makeInteger(plan.limit));
}

std::optional<SourcePlan> source_plan_of(const List *list) {
    if (intVal(linitial(list)) != mark)
        return std::nullopt;
    SourcePlan plan;
    ListCell *cell;
    foreach (cell, static_cast<List *>(lsecond(list)))
        plan.retrieved.push_back(static_cast<AttrNumber>(lfirst_int(cell)));
    const auto *numbers = static_cast<List *>(lthird(list));
    for (int i = 0; i + numbers_of_condition <= list_length(numbers); i += numbers_of_condition)
        plan.conditions.push_back({static_cast<AttrNumber>(list_nth_int(numbers, i)),
                                   static_cast<SqlComparison>(list_nth_int(numbers, i + 1)),
                                   list_nth_int(numbers, i + 2), list_nth_int(numbers, i + 3) != 0,
                                   list_nth_int(numbers, i + 4) != 0});
    plan.limit = intVal(lfourth(list));
    return plan;
}

std::string source_type_name(Oid type) {
    static constexpr std::pair<Oid, const char *> names[] = {{TEXTOID, "text"},
                                                             {VARCHAROID, "text"},
                                                             {BOOLOID, "boolean"},
                                                             {INT2OID, "smallint"},
                                                             {INT4OID, "integer"},
                                                             {INT8OID, "bigint"},
                                                             {NUMERICOID, "numeric"},
                                                             {FLOAT4OID, "real"},
                                                             {FLOAT8OID, "double precision"},
                                                             {DATEOID, "date"},
                                                             {TIMEOID, "time"},
                                                             {TIMESTAMPOID, "timestamp"},
                                                             {INTERVALOID, "interval"},
                                                             {TIMESTAMPTZOID, "timestamptz"},
                                                             {BYTEAOID, "bytea"},
                                                             {UUIDOID, "uuid"},
                                                             {JSONOID, "json"},
                                                             {JSONBOID, "jsonb"},
                                                             {TEXTARRAYOID, "text[]"}};
    for (const auto &[oid, name] : names)
        if (oid == type)
            return name;
    return "";
}

std::string type_at_source(const Destination &destination, AttrNumber column) {
    const auto found = destination.source.types.find(column);
    return found == destination.source.types.end() ? "" : found->second;
}

std::optional<std::string> source_value(Oid type, Datum value) {
    switch (type) {
    case DATEOID: {
        const DateADT date = DatumGetDateADT(value);
        std::string text;
        if (!DATE_NOT_FINITE(date))
            append_cell(text, CellForm::days, std::to_string(date + days_between_epochs));
        return text.empty() ? std::nullopt : std::optional(text);
    }
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
            return std::nullopt;
        return moment_text(DatumGetTimestamp(value), type == TIMESTAMPTZOID);
    case BOOLOID:
        return DatumGetBool(value) ? "true" : "false";
    default:
        // Integers, decimals and texts, whose output no setting changes.
        return pg_call([&] { return printed_value(type, value); }).utf8();
    }
}

SourceQuery source_query(const Destination &destination, const SourcePlan &plan) {
    const DialectSpec &dialect = destination.source.statement->spec.dialect;
    SourceQuery query;
    if (destination.source.query.empty())
        query.relation = relation_name(dialect, dialect.relation, destination.object.name, destination.source.schema);
    else
        query.query = one_query(destination.source.query);
    for (AttrNumber attnum : plan.retrieved) {
        const DestinationColumn *column = destination.column(attnum);
        query.columns.push_back({column->field, source_type_name(pg_call([&] { return getBaseType(column->type); }))});
    }
    query.limit = plan.limit;
    return query;
}

std::optional<SqlCondition> source_condition(const Destination &destination, const ShippedCondition &condition,
                                             std::vector<std::string> values) {
    const std::string type = type_at_source(destination, condition.column);
    const bool can_be_said = std::all_of(values.begin(), values.end(), [&](const std::string &value) {
        return can_be_parameter(destination.source.statement->spec.dialect, type, value);
    });
    if (!can_be_said || values.size() > 1000)
        return std::nullopt;
    return SqlCondition{destination.column(condition.column)->field, type, condition.comparison, std::move(values)};
}

} // namespace reverse_etl
