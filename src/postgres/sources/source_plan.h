#pragma once

#include "engine/sources/sql_text.h"
#include "postgres/destinations/destination.h"

#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "nodes/pg_list.h"
}

namespace reverse_etl {

/// A part of WHERE that is evaluated at the source: of one column, or parts that are joined.
struct ShippedCondition {
    SqlCondition::Join join = SqlCondition::Join::none;
    std::vector<ShippedCondition> parts = {}; ///< of one that joins

    AttrNumber column = 0;
    SqlComparison comparison = SqlComparison::equal;
    Oid type = InvalidOid;  ///< that its values have as parameters
    int value = -1;         ///< the position in ForeignScan::fdw_exprs; -1: it takes none
    bool is_array = false;  ///< that is an array, of which one must be equal, or none
    int shift = -1;         ///< likewise: days by which the value is later, an integer or an interval; -1: none
    bool is_back = false;   ///< earlier, that is
    bool is_moment = false; ///< the value is a moment, of which the day is asked for
    bool is_apart = false;  ///< the column is written so that values are told apart there as they are here
    bool is_exact = false;  ///< nothing of it is left to be evaluated here
};

/// What an aggregate at the source gives.
struct SourceOutput {
    AttrNumber column = 0; ///< 0: it is of all rows
    SqlFunction function = SqlFunction::none;
};

struct SourceOrder {
    AttrNumber column = 0;
    bool is_descending = false, nulls_first = false;
};

/// How a table of a source is read.
struct SourcePlan {
    Oid relation = InvalidOid;
    bool is_grouped = false;                  ///< the outputs are read, and not rows of the table
    std::vector<AttrNumber> retrieved;        ///< columns that the query needs
    std::vector<SourceOutput> outputs;        ///< in the order of the scan's row
    std::vector<AttrNumber> groups;           ///< what rows are grouped by
    std::vector<ShippedCondition> conditions; ///< all of them hold
    std::vector<SourceOrder> order;
    int limit = -1; ///< most rows that are needed; -1: all
};

/// While one lives, plans that this process makes ask a source for what leaves nothing to be evaluated here, where it
/// can, though it may then make less of what it knows of its columns.
class ExactPlans {
  public:
    ExactPlans() { count()++; }
    ~ExactPlans() { count()--; }
    ExactPlans(const ExactPlans &) = delete;
    ExactPlans &operator=(const ExactPlans &) = delete;

    static bool are_made() { return count() > 0; }

  private:
    static int &count();
};

/// A plan as Postgres can copy and keep it. Call inside pg_call.
List *to_list(const SourcePlan &plan);
/// Nothing where the list is that of another scan.
std::optional<SourcePlan> source_plan_of(const List *list);

/// The Postgres type of a column as sources' rules name it; "" for one that no rule has.
std::string source_type_name(Oid type);

/// The type that a column is at its source; "" where that is not known.
std::string type_at_source(const Destination &destination, AttrNumber column);

/// What is read of the table, without its conditions.
SourceQuery source_query(const Destination &destination, const SourcePlan &plan);

} // namespace reverse_etl
