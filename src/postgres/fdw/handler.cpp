#include "postgres/border/sql_function.h"
#include "postgres/fdw/fdw.h"

namespace reverse_etl {

/// CREATE FOREIGN DATA WRAPPER ... HANDLER
SQL_FUNCTION(reverse_etl_fdw_handler) {
    FdwRoutine *routine = makeNode(FdwRoutine);
    routine->GetForeignRelSize = get_rel_size;
    routine->GetForeignPaths = get_paths;
    routine->GetForeignUpperPaths = get_upper_paths;
    routine->GetForeignPlan = get_plan;
    routine->BeginForeignScan = begin_scan;
    routine->IterateForeignScan = iterate_scan;
    routine->ReScanForeignScan = rescan;
    routine->EndForeignScan = end_scan;
    routine->AddForeignUpdateTargets = add_update_targets;
    routine->PlanForeignModify = plan_modify;
    routine->BeginForeignModify = begin_modify;
    routine->BeginForeignInsert = begin_insert;
    routine->ExecForeignInsert = exec_insert;
    routine->ExecForeignUpdate = exec_update;
    routine->ExecForeignDelete = exec_delete;
    routine->EndForeignModify = end_modify;
    routine->EndForeignInsert = end_insert;
    routine->IsForeignRelUpdatable = is_updatable;
    routine->ExplainForeignScan = explain_scan;
    routine->ExplainForeignModify = explain_modify;
    routine->ImportForeignSchema = import_schema;
    PG_RETURN_POINTER(routine);
}

} // namespace reverse_etl
