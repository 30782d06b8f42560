#pragma once

#include "engine/sources/sql_text.h"
#include "postgres/destinations/destination.h"

#include <optional>
#include <vector>

extern "C" {
#include "nodes/pg_list.h"
}

namespace reverse_etl {

/// A part of WHERE that is evaluated at the source.
struct ShippedCondition {
    AttrNumber column = 0;
    SqlComparison comparison = SqlComparison::equal;
    int value = -1;        ///< the position in ForeignScan::fdw_exprs; -1: it takes none
    bool is_array = false; ///< that is an array, of which one must be equal
    bool is_exact = false; ///< nothing of it is left to be evaluated here
};

/// How a table of a source is read.
struct SourcePlan {
    std::vector<AttrNumber> retrieved; ///< columns that the query needs
    std::vector<ShippedCondition> conditions;
    int limit = -1; ///< most rows that are needed; -1: all
};

/// A plan as Postgres can copy and keep it. Call inside pg_call.
List *to_list(const SourcePlan &plan);
/// Nothing where the list is that of another scan.
std::optional<SourcePlan> source_plan_of(const List *list);

/// The Postgres type of a column as sources' rules name it; "" for one that no rule has.
std::string source_type_name(Oid type);

/// The type that a column is at its source; "" where that is not known.
std::string type_at_source(const Destination &destination, AttrNumber column);

/// The values of a condition; nothing where no row can fulfil it.
using ConditionValues = std::optional<std::vector<std::string>>;

/// A value as the source takes it, whatever the session's settings. Call outside of pg_call.
std::optional<std::string> source_value(Oid type, Datum value);

/// What is read of the table, without its conditions.
SourceQuery source_query(const Destination &destination, const SourcePlan &plan);
/// A condition with these values; nothing where the source cannot be told of one of them: it is evaluated here then.
std::optional<SqlCondition> source_condition(const Destination &destination, const ShippedCondition &condition,
                                             std::vector<std::string> values);

} // namespace reverse_etl
