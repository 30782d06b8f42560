#include "postgres/fdw/plan_grouped.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/fdw/plan_source.h"
#include "postgres/fdw/relation_plan.h"
#include "postgres/fdw/shipped_conditions.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

extern "C" {
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
}

namespace reverse_etl {

namespace {

/// The aggregates of Postgres that sources have, by name: what is not its own is somebody's.
std::optional<SqlFunction> function_of(Oid aggregate) {
    static constexpr std::pair<const char *, SqlFunction> known[] = {{"count", SqlFunction::count},
                                                                     {"min", SqlFunction::minimum},
                                                                     {"max", SqlFunction::maximum},
                                                                     {"sum", SqlFunction::sum}};
    if (aggregate >= FirstNormalObjectId)
        return std::nullopt;
    const char *name = pg_call([&] { return get_func_name(aggregate); });
    for (const auto &[text, function] : known)
        if (name != nullptr && std::string_view(name) == text)
            return function;
    return std::nullopt;
}

/// Puts together what the source is asked for.
class Grouping {
  public:
    Grouping(PlannerInfo *root, const RelOptInfo *input, const Destination &destination)
        : root_(root), input_(input), destination_(destination), dialect_(destination.source.statement->spec.dialect) {}

    /// Whether all can be asked for. `having`: what HAVING says, or nullptr.
    bool read(const PathTarget *target, Node *having) {
        grouped.plan.relation = destination_.relation;
        grouped.plan.is_grouped = true;
        if (!read_groups() || !read_conditions())
            return false;
        for (int i = 0; i < list_length(target->exprs); i++)
            if (!read_expression(static_cast<Node *>(list_nth(target->exprs, i))))
                return false;
        if (having != nullptr && !read_expression(having))
            return false;
        grouped.having = reinterpret_cast<List *>(having);
        return !grouped.plan.outputs.empty();
    }

    GroupedPlan grouped;

  private:
    bool read_groups() {
        for (int i = 0; i < list_length(root_->parse->groupClause); i++) {
            auto *clause = static_cast<SortGroupClause *>(list_nth(root_->parse->groupClause, i));
            auto *entry = pg_call([&] { return get_sortgroupclause_tle(clause, root_->processed_tlist); });
            const DestinationColumn *column = column_of(reinterpret_cast<Node *>(entry->expr));
            if (column == nullptr || !can_group_by(dialect_, type_of(column)))
                return false;
            if (!pg_call([&] { return is_plainly_grouped(column); }))
                return false;
            grouped.plan.groups.push_back(column->attnum);
        }
        return true;
    }

    /// A nondeterministic collation takes two texts for one.
    static bool is_plainly_grouped(const DestinationColumn *column) {
        return !OidIsValid(column->collation) || get_collation_isdeterministic(column->collation);
    }

    /// All of WHERE, so that nothing is left to be evaluated here.
    bool read_conditions() {
        Shipping shipping(root_, input_, destination_, true);
        for (int i = 0; i < list_length(input_->baserestrictinfo); i++) {
            auto *restriction = static_cast<RestrictInfo *>(list_nth(input_->baserestrictinfo, i));
            auto found = restriction->pseudoconstant ? std::nullopt : shipping.ship(restriction->clause);
            if (!found || !found->is_exact)
                return false;
            grouped.plan.conditions.push_back(std::move(*found));
        }
        grouped.values = shipping.values();
        return true;
    }

    /// The columns and aggregates that an expression is made of.
    bool read_expression(Node *expression) {
        List *parts =
            pg_call([&] { return pull_var_clause(expression, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_PLACEHOLDERS); });
        for (int i = 0; i < list_length(parts); i++)
            if (!read_part(static_cast<Node *>(list_nth(parts, i))))
                return false;
        return true;
    }

    bool read_part(Node *part) {
        std::optional<SourceOutput> output;
        if (IsA(part, Aggref)) {
            output = of_aggregate(reinterpret_cast<Aggref *>(part));
        } else if (const DestinationColumn *column = column_of(part);
                   column != nullptr && std::find(grouped.plan.groups.begin(), grouped.plan.groups.end(),
                                                  column->attnum) != grouped.plan.groups.end()) {
            output = SourceOutput{column->attnum, SqlFunction::none};
        }
        if (!output)
            return false;
        const int before = list_length(grouped.row);
        grouped.row = pg_call([&] { return add_to_flat_tlist(grouped.row, list_make1(part)); });
        if (list_length(grouped.row) > before)
            grouped.plan.outputs.push_back(*output);
        return true;
    }

    std::optional<SourceOutput> of_aggregate(const Aggref *aggregate) const {
        if (aggregate->aggdistinct != NIL || aggregate->aggorder != NIL || aggregate->aggfilter != nullptr ||
            aggregate->aggvariadic || aggregate->aggkind != AGGKIND_NORMAL || aggregate->agglevelsup != 0 ||
            aggregate->aggsplit != AGGSPLIT_SIMPLE)
            return std::nullopt;
        const std::optional<SqlFunction> function = function_of(aggregate->aggfnoid);
        if (!function)
            return std::nullopt;
        if (aggregate->aggstar)
            return SourceOutput{0, SqlFunction::count_rows};
        if (list_length(aggregate->args) != 1)
            return std::nullopt;
        auto *argument = reinterpret_cast<Node *>(static_cast<TargetEntry *>(linitial(aggregate->args))->expr);
        const DestinationColumn *column = IsA(argument, Var) ? column_of(argument) : nullptr;
        if (column == nullptr || !can_say(dialect_, type_of(column), *function))
            return std::nullopt;
        return SourceOutput{column->attnum, *function};
    }

    const DestinationColumn *column_of(Node *node) const {
        return IsA(node, Var) ? source_column(input_, destination_, node) : nullptr;
    }

    static std::string type_of(const DestinationColumn *column) {
        return source_type_name(pg_call([&] { return getBaseType(column->type); }));
    }

    PlannerInfo *const root_;
    const RelOptInfo *const input_;
    const Destination &destination_;
    const DialectSpec &dialect_;
};

double groups_of(PlannerInfo *root, const RelOptInfo *input) {
    return pg_call([&] {
        if (root->parse->groupClause == NIL)
            return 1.0;
        List *expressions = get_sortgrouplist_exprs(root->parse->groupClause, root->processed_tlist);
        return estimate_num_groups(root, expressions, input->rows, nullptr, nullptr);
    });
}

} // namespace

void add_grouped_path(PlannerInfo *root, RelOptInfo *input, RelOptInfo *grouped, GroupPathExtraData *extra) {
    const Query *query = root->parse;
    auto *known = static_cast<RelationPlan *>(input->fdw_private);
    if (input->reloptkind != RELOPT_BASEREL || known == nullptr || known->destination == nullptr ||
        !known->destination->is_read_by_statement() || !known->destination->source.pushes_down ||
        grouped->fdw_private != nullptr || query->groupingSets != NIL || query->hasTargetSRFs ||
        extra->patype != PARTITIONWISE_AGGREGATE_NONE || !bms_is_empty(input->lateral_relids) ||
        (query->groupClause == NIL && !query->hasAggs))
        return;
    Grouping grouping(root, input, *known->destination);
    if (!grouping.read(grouped->reltarget, static_cast<Node *>(extra->havingQual)))
        return;
    auto *plan = make_in<RelationPlan>(CurrentMemoryContext);
    plan->destination = known->destination;
    plan->grouped = std::move(grouping.grouped);
    grouped->fdw_private = plan;
    const double rows = groups_of(root, input);
    const Cost cost = source_statement_cost();
    pg_call([&] {
        add_path(grouped, reinterpret_cast<Path *>(compat::create_foreign_upper_path(root, grouped, rows, cost,
                                                                                     cost + cpu_tuple_cost * rows)));
    });
}

ForeignScan *grouped_scan_plan(RelOptInfo *grouped, List *target_list, Plan *outer_plan) {
    const GroupedPlan &plan = static_cast<RelationPlan *>(grouped->fdw_private)->grouped;
    return pg_call([&] {
        return make_foreignscan(target_list, plan.having, 0, plan.values, to_list(plan.plan), plan.row, NIL,
                                outer_plan);
    });
}

} // namespace reverse_etl
