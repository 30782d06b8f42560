#include "postgres/fdw/plan_source.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/fdw/shipped_conditions.h"
#include "postgres/sources/source_plan.h"

#include <limits>

extern "C" {
#include "access/sysattr.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
}

namespace reverse_etl {

namespace {

/// Planner's units that a statement costs, whatever it gives: who starts one pays for it.
constexpr Cost statement_cost = 5000;
/// Rows that a table is taken to hold; the source knows, and is not asked for it.
constexpr double rows_of_table = 100'000;

/// The value of a constant; -1 for what is none.
std::int64_t constant(Node *node) {
    auto *value = reinterpret_cast<Const *>(node);
    return node != nullptr && IsA(node, Const) && !value->constisnull ? DatumGetInt64(value->constvalue) : -1;
}

/// The most rows that the query can use of the relation; -1 where that is not known. All that happens between the scan
/// and LIMIT has to keep each row, in the order in which it comes.
int most_rows(PlannerInfo *root, const RelOptInfo *relation) {
    const Query *query = root->parse;
    if (query->commandType != CMD_SELECT || query->limitCount == nullptr || query->hasAggs || query->hasWindowFuncs ||
        query->hasTargetSRFs || query->groupClause != NIL || query->groupingSets != NIL ||
        query->havingQual != nullptr || query->distinctClause != NIL || query->sortClause != NIL ||
        query->setOperations != nullptr || query->rowMarks != NIL || query->limitOption != LIMIT_OPTION_COUNT ||
        relation->reloptkind != RELOPT_BASEREL || list_length(query->jointree->fromlist) != 1 ||
        !IsA(linitial(query->jointree->fromlist), RangeTblRef) ||
        linitial_node(RangeTblRef, query->jointree->fromlist)->rtindex != static_cast<int>(relation->relid))
        return -1;
    const std::int64_t count = constant(query->limitCount);
    const std::int64_t offset = query->limitOffset == nullptr ? 0 : constant(query->limitOffset);
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    return count < 0 || offset < 0 || count > most || offset > most - count ? -1 : static_cast<int>(count + offset);
}

} // namespace

std::vector<AttrNumber> retrieved_columns(const Destination &destination, RelOptInfo *relation, List *clauses) {
    Bitmapset *used = pg_call([&] {
        Bitmapset *set = nullptr;
        pull_varattnos(reinterpret_cast<Node *>(relation->reltarget->exprs), relation->relid, &set);
        pull_varattnos(reinterpret_cast<Node *>(clauses), relation->relid, &set);
        return set;
    });
    bool whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
    std::vector<AttrNumber> retrieved;
    for (const DestinationColumn &column : destination.columns)
        if (whole_row || bms_is_member(column.attnum - FirstLowInvalidHeapAttributeNumber, used))
            retrieved.push_back(column.attnum);
    return retrieved;
}

void set_source_size(PlannerInfo *root, RelOptInfo *relation) {
    relation->tuples = rows_of_table;
    pg_call([&] { set_baserel_size_estimates(root, relation); });
}

void add_source_path(PlannerInfo *root, RelOptInfo *relation) {
    pg_call([&] {
        const Cost rows = cpu_tuple_cost * relation->rows;
        add_path(relation,
                 reinterpret_cast<Path *>(compat::create_foreign_path(
                     root, relation, relation->rows, statement_cost, statement_cost + rows, relation->lateral_relids)));
    });
}

ForeignScan *source_scan_plan(PlannerInfo *root, RelOptInfo *relation, List *target_list, List *clauses,
                              Plan *outer_plan) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    SourcePlan plan;
    List *values = NIL, *exact = NIL, *local = NIL;
    ListCell *cell;
    bool all_are_exact = true;
    foreach (cell, clauses) {
        const auto *restriction = static_cast<RestrictInfo *>(lfirst(cell));
        if (restriction->pseudoconstant)
            continue;
        Expr *clause = restriction->clause;
        auto found = pg_call([&] { return shipped(root, relation, destination, clause); });
        const bool is_exact = found && found->condition.is_exact;
        all_are_exact &= is_exact;
        pg_call([&] {
            List *&kept = is_exact ? exact : local;
            kept = lappend(kept, clause);
            if (found && found->value != nullptr) {
                found->condition.value = list_length(values);
                values = lappend(values, found->value);
            }
        });
        if (found)
            plan.conditions.push_back(found->condition);
    }
    plan.retrieved = retrieved_columns(destination, relation, local);
    if (all_are_exact)
        plan.limit = most_rows(root, relation);
    return pg_call([&] {
        return make_foreignscan(target_list, local, relation->relid, values, to_list(plan), NIL, exact, outer_plan);
    });
}

} // namespace reverse_etl
