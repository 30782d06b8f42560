#pragma once

#include "postgres/fdw/relation_plan.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
}

namespace reverse_etl {

/// The plan of a scan of files. What of WHERE is about their names alone goes along, so that others are not read.
ForeignScan *files_scan_plan(RelOptInfo *relation, List *target_list, List *clauses, Plan *outer_plan);

} // namespace reverse_etl
