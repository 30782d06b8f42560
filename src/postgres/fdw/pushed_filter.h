#pragma once

#include "engine/requests/list_filter.h"
#include "postgres/destinations/destination.h"
#include "postgres/fdw/scan_plan.h"

#include <optional>
#include <vector>

extern "C" {
#include "foreign/fdwapi.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// A comparison of WHERE that the destination makes as well, so that it answers with fewer records. What it answers is
/// compared here again: it must only not leave out what WHERE would keep.
struct PushedComparison {
    AttrNumber column;
    Comparison comparison;
    Expr *value;
};

/// The clauses that a list's request can say, by its manifest, and that mean the same there whatever a database's
/// collations are.
std::vector<PushedComparison> pushed_comparisons(PlannerInfo *root, const RelOptInfo *relation,
                                                 const Destination &destination, List *clauses);

/// What a list's request says, with the values of this statement. Nothing if a value is NULL: no row is like it.
/// `scratch` is reset.
std::optional<ListFilter> list_filter(const Destination &destination, const ScanPlan &plan, List *expressions,
                                      ExprContext *context, MemoryContext scratch);

/// Shows in EXPLAIN what is left to the destination.
void show_filter(const Destination &destination, const ScanPlan &plan, List *values, ExplainState *explain);

} // namespace reverse_etl
