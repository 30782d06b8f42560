#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
}

namespace reverse_etl {

/// Offers to have rows of a source grouped, counted and summed there, where the result is surely the same.
void add_grouped_path(PlannerInfo *root, RelOptInfo *input, RelOptInfo *grouped, GroupPathExtraData *extra);

/// The plan of such a path.
ForeignScan *grouped_scan_plan(RelOptInfo *grouped, List *target_list, Plan *outer_plan);

} // namespace reverse_etl
