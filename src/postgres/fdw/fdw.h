#pragma once

/// The callbacks of the foreign data wrapper, by the file that holds them. Each is guarded.

#include "engine/manifest/connector.h"
#include "postgres/border/postgres.h"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace reverse_etl {

// plan_scan.cpp
void get_rel_size(PlannerInfo *root, RelOptInfo *relation, Oid table);
void get_paths(PlannerInfo *root, RelOptInfo *relation, Oid table);
void get_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra);
ForeignScan *get_plan(PlannerInfo *root, RelOptInfo *relation, Oid table, ForeignPath *path, List *target_list,
                      List *clauses, Plan *outer_plan);

// scan.cpp
void begin_scan(ForeignScanState *node, int flags);
TupleTableSlot *iterate_scan(ForeignScanState *node);
void rescan(ForeignScanState *node);
void end_scan(ForeignScanState *node);

// plan_modify.cpp
void add_update_targets(PlannerInfo *root, Index index, RangeTblEntry *entry, Relation relation);
List *plan_modify(PlannerInfo *root, ModifyTable *plan, Index index, int subplan);
int is_updatable(Relation relation);

// modify.cpp
void begin_modify(ModifyTableState *state, ResultRelInfo *relation, List *plan, int subplan, int flags);
void begin_insert(ModifyTableState *state, ResultRelInfo *relation);
TupleTableSlot *exec_insert(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot);
TupleTableSlot *exec_update(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot);
TupleTableSlot *exec_delete(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot);
void end_modify(EState *estate, ResultRelInfo *relation);
void end_insert(EState *estate, ResultRelInfo *relation);

// explain.cpp
void explain_scan(ForeignScanState *node, ExplainState *explain);
void explain_modify(ModifyTableState *state, ResultRelInfo *relation, List *plan, int subplan, ExplainState *explain);

// import_schema.cpp
List *import_schema(ImportForeignSchemaStmt *statement, Oid server);

} // namespace reverse_etl
