#pragma once

#include "postgres/fdw/relation_plan.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
}

namespace reverse_etl {

/// The planner's callbacks for a table that SQL at its source reads.
void set_source_size(PlannerInfo *root, RelOptInfo *relation);
void add_source_path(PlannerInfo *root, RelOptInfo *relation);
ForeignScan *source_scan_plan(PlannerInfo *root, RelOptInfo *relation, const ForeignPath *path, List *target_list,
                              List *clauses, Plan *outer_plan);

/// Planner's units that a statement costs, whatever it gives.
Cost source_statement_cost();

/// The columns that the query needs of the relation.
std::vector<AttrNumber> retrieved_columns(const Destination &destination, RelOptInfo *relation, List *clauses);

} // namespace reverse_etl
