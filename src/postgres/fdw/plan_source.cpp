#include "postgres/fdw/plan_source.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/fdw/shipped_conditions.h"
#include "postgres/fdw/shipped_order.h"
#include "postgres/sources/source_plan.h"

#include <limits>
#include <utility>

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
/// and LIMIT has to keep each row, in the order in which it comes. `is_sorted`: that is the order of the query.
int most_rows(const PlannerInfo *root, const RelOptInfo *relation, bool is_sorted) {
    const Query *query = root->parse;
    if (query->commandType != CMD_SELECT || query->limitCount == nullptr || query->hasAggs || query->hasWindowFuncs ||
        query->hasTargetSRFs || query->groupClause != NIL || query->groupingSets != NIL ||
        query->havingQual != nullptr || query->distinctClause != NIL || (query->sortClause != NIL && !is_sorted) ||
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

/// What of WHERE the source evaluates, and what is left.
struct Divided {
    std::vector<ShippedCondition> conditions;
    List *values = NIL, *exact = NIL, *local = NIL;
};

Divided divide(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination, List *clauses,
               bool wants_exact) {
    Divided divided;
    Shipping shipping(root, relation, destination, wants_exact);
    for (int i = 0; i < list_length(clauses); i++) {
        const auto *restriction = static_cast<RestrictInfo *>(list_nth(clauses, i));
        if (restriction->pseudoconstant)
            continue;
        Expr *clause = restriction->clause;
        auto found = destination.source.pushes_down ? shipping.ship(clause) : std::nullopt;
        List *&kept = found && found->is_exact ? divided.exact : divided.local;
        kept = pg_call([&] { return lappend(kept, clause); });
        if (found)
            divided.conditions.push_back(std::move(*found));
    }
    divided.values = shipping.values();
    return divided;
}

/// The path by which rows come in the order of the query, where that and LIMIT go along.
void add_sorted_path(PlannerInfo *root, RelOptInfo *relation, const Destination &destination) {
    if (root->query_pathkeys == NIL || most_rows(root, relation, true) < 0 ||
        shipped_order(root, relation, destination).empty() ||
        divide(root, relation, destination, relation->baserestrictinfo, true).local != NIL)
        return;
    pg_call([&] {
        const Cost rows = cpu_tuple_cost * relation->rows;
        add_path(relation, reinterpret_cast<Path *>(compat::create_foreign_path(
                               root, relation, relation->rows, statement_cost, statement_cost + rows,
                               relation->lateral_relids, root->query_pathkeys)));
    });
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
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    if (destination.source.pushes_down)
        add_sorted_path(root, relation, destination);
}

ForeignScan *source_scan_plan(PlannerInfo *root, RelOptInfo *relation, const ForeignPath *path, List *target_list,
                              List *clauses, Plan *outer_plan) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    SourcePlan plan;
    plan.relation = destination.relation;
    const bool is_sorted = path->path.pathkeys != NIL;
    const int most = destination.source.pushes_down ? most_rows(root, relation, is_sorted) : -1;
    Divided divided = divide(root, relation, destination, clauses, most >= 0 || ExactPlans::are_made());
    if (most >= 0 && divided.local != NIL && !ExactPlans::are_made())
        divided = divide(root, relation, destination, clauses, false);
    if (divided.local == NIL)
        plan.limit = most;
    if (is_sorted)
        plan.order = shipped_order(root, relation, destination);
    plan.conditions = std::move(divided.conditions);
    plan.retrieved = retrieved_columns(destination, relation, divided.local);
    return pg_call([&] {
        return make_foreignscan(target_list, divided.local, relation->relid, divided.values, to_list(plan), NIL,
                                divided.exact, outer_plan);
    });
}

Cost source_statement_cost() {
    return statement_cost;
}

} // namespace reverse_etl
