#include "postgres/fdw/plan_files.h"

#include "postgres/border/border.h"
#include "postgres/fdw/plan_source.h"
#include "postgres/files/files_plan.h"

extern "C" {
#include "access/sysattr.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
}

namespace reverse_etl {

namespace {

/// Whether all columns of the condition stand in the names of files, and it may be evaluated before others are: it then
/// tells nobody of files whose rows they may not see.
bool is_about_names(const Destination &destination, RelOptInfo *relation, RestrictInfo *restriction) {
    auto *clause = reinterpret_cast<Node *>(restriction->clause);
    Bitmapset *used = nullptr;
    pull_varattnos(clause, relation->relid, &used);
    for (const DestinationColumn &column : destination.columns)
        if (value_of_name(destination, column) >= 0)
            used = bms_del_member(used, column.attnum - FirstLowInvalidHeapAttributeNumber);
    return bms_is_empty(used) && bms_equal(restriction->clause_relids, relation->relids) &&
           restriction_is_securely_promotable(restriction, relation) && !contain_volatile_functions(clause) &&
           !contain_subplans(clause);
}

} // namespace

ForeignScan *files_scan_plan(RelOptInfo *relation, List *target_list, List *clauses, Plan *outer_plan) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    List *conditions = NIL;
    ListCell *cell;
    foreach (cell, clauses) {
        auto *restriction = static_cast<RestrictInfo *>(lfirst(cell));
        pg_call([&] {
            if (!restriction->pseudoconstant && is_about_names(destination, relation, restriction))
                conditions = lappend(conditions, restriction->clause);
        });
    }
    List *quals = pg_call([&] { return extract_actual_clauses(clauses, false); });
    const FilesPlan plan{retrieved_columns(destination, relation, quals)};
    return pg_call([&] {
        return make_foreignscan(target_list, quals, relation->relid, conditions, to_list(plan), NIL, NIL, outer_plan);
    });
}

} // namespace reverse_etl
