#pragma once

#include "engine/manifest/filter_spec.h"
#include "postgres/border/postgres.h"

#include <utility>
#include <vector>

extern "C" {
#include "access/attnum.h"
#include "nodes/pg_list.h"
}

namespace reverse_etl {

/// How a foreign table is read.
struct ScanPlan {
    enum class Kind {
        none,   ///< not at all: WHERE names the rows, and nothing more of them is needed
        lookup, ///< by the values that WHERE gives for the address column
        list,   ///< page by page
    } kind = Kind::list;
    std::vector<AttrNumber> address;   ///< columns that name the row; ForeignScan::fdw_exprs has their values
    bool is_array = false;             ///< the one address column's value is an array of values
    std::vector<AttrNumber> retrieved; ///< columns that the query needs
    /// What a list's request says of WHERE; ForeignScan::fdw_exprs has the values.
    std::vector<std::pair<AttrNumber, Comparison>> filters;
};

/// A plan as Postgres can copy and keep it. Call inside pg_call.
List *to_list(const ScanPlan &plan);
ScanPlan scan_plan_of(const List *list);

} // namespace reverse_etl
