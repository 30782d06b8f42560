#include "postgres/fdw/fdw.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/injection_point.h"
#include "postgres/fdw/clauses.h"
#include "postgres/fdw/plan_files.h"
#include "postgres/fdw/plan_grouped.h"
#include "postgres/fdw/plan_source.h"
#include "postgres/fdw/pushed_filter.h"
#include "postgres/fdw/relation_plan.h"
#include "postgres/fdw/row_addresses.h"
#include "postgres/fdw/scan_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
}

namespace reverse_etl {

namespace {

/// Planner's units that a request costs: a round trip is worth many pages.
constexpr Cost request_cost = 500;
/// Rows that a list is taken to hold; nobody knows before having read it.
constexpr double list_rows = 10000;
/// What an impossible list costs, so that any other way is taken if there is one.
constexpr Cost impossible_cost = 1e10;

/// A clause that gives the value, or the values, of a column.
struct GivenValue {
    Expr *value = nullptr;
    bool is_array = false;
};

/// The address that clauses give, and whether it has to be read.
struct Access {
    ScanPlan::Kind kind = ScanPlan::Kind::list;
    RowAddress columns;
    std::vector<GivenValue> values;
};

bool is_integer(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

/// Whether values of the type can stand for the column's: they are the same in memory, or the scan sees to it.
bool is_like_column(Oid type, Oid column_type) {
    auto base = [](Oid oid) { return oid == VARCHAROID ? TEXTOID : oid; };
    column_type = getBaseType(column_type);
    return base(type) == base(column_type) || (is_integer(type) && is_integer(column_type));
}

/// The value as one of the column's type; nullptr if it might not be the same then. The operator compares the two
/// types.
Node *as_column(Node *value, Oid column_type) {
    return is_like_column(exprType(value), column_type) ? value : implicitly_cast(value, column_type);
}

/// What the clause gives for the column, if it is column = value or column = ANY (array).
std::optional<GivenValue> given_by(PlannerInfo *root, const RelOptInfo *relation, Expr *clause,
                                   const DestinationColumn &column) {
    if (IsA(clause, OpExpr)) {
        auto *expression = reinterpret_cast<OpExpr *>(clause);
        if (list_length(expression->args) != 2)
            return std::nullopt;
        auto *left = static_cast<Node *>(linitial(expression->args));
        auto *right = static_cast<Node *>(lsecond(expression->args));
        if (!op_mergejoinable(expression->opno, exprType(left)))
            return std::nullopt;
        if (is_column(right, relation, column))
            std::swap(left, right);
        if (is_column(left, relation, column) && is_known_before(root, relation, right))
            if (Node *value = as_column(right, column.type))
                return GivenValue{reinterpret_cast<Expr *>(value), false};
    }
    if (IsA(clause, ScalarArrayOpExpr)) {
        auto *expression = reinterpret_cast<ScalarArrayOpExpr *>(clause);
        auto *left = static_cast<Node *>(linitial(expression->args));
        auto *right = static_cast<Node *>(lsecond(expression->args));
        if (expression->useOr && op_mergejoinable(expression->opno, exprType(left)) &&
            is_column(left, relation, column) && is_known_before(root, relation, right) &&
            is_like_column(get_element_type(exprType(right)), column.type))
            return GivenValue{reinterpret_cast<Expr *>(right), true};
    }
    return std::nullopt;
}

/// The values that the clauses give for all of the columns. Several columns take one value each.
bool find_values(PlannerInfo *root, const RelOptInfo *relation, List *clauses,
                 const std::vector<const DestinationColumn *> &columns, std::vector<GivenValue> &values) {
    values.clear();
    for (const DestinationColumn *column : columns) {
        std::optional<GivenValue> found;
        ListCell *cell;
        foreach (cell, clauses) {
            auto *clause = static_cast<Expr *>(lfirst(cell));
            if (IsA(clause, RestrictInfo))
                clause = reinterpret_cast<RestrictInfo *>(clause)->clause;
            auto given = given_by(root, relation, clause, *column);
            if (given && (!found || found->is_array))
                found = given;
        }
        if (!found || (found->is_array && columns.size() > 1))
            return false;
        values.push_back(*found);
    }
    return !columns.empty();
}

/// Whether the query needs nothing of the target but these columns.
bool needs_only(PlannerInfo *root, const RelOptInfo *relation, const std::vector<const DestinationColumn *> &columns) {
    const Query *query = root->parse;
    List *variables = pull_vars_of_level(reinterpret_cast<Node *>(query->returningList), 0);
    ListCell *entry;
    foreach (entry, query->targetList) {
        // The planner shares this list and has added what names the row, which is not what the query asks for.
        auto *target = static_cast<TargetEntry *>(lfirst(entry));
        if (!target->resjunk)
            variables = list_concat(variables, pull_vars_of_level(reinterpret_cast<Node *>(target->expr), 0));
    }
    variables = list_concat(variables, pull_vars_of_level(reinterpret_cast<Node *>(query->jointree), 0));
    variables = list_concat(variables, pull_vars_of_level(reinterpret_cast<Node *>(query->withCheckOptions), 0));
    ListCell *cell;
    foreach (cell, variables) {
        auto *variable = static_cast<Var *>(lfirst(cell));
        if (!IsA(variable, Var) || variable->varno != static_cast<int>(relation->relid))
            continue;
        bool known = std::any_of(columns.begin(), columns.end(),
                                 [&](const DestinationColumn *column) { return column->attnum == variable->varattno; });
        if (!known)
            return false;
    }
    return true;
}

/// The best access that the clauses allow.
Access choose_access(PlannerInfo *root, RelOptInfo *relation, List *clauses) {
    auto *plan = static_cast<RelationPlan *>(relation->fdw_private);
    const Destination &destination = *plan->destination;
    Access access;
    if (plan->may_skip_reading) {
        OperationKind kind = root->parse->commandType == CMD_DELETE ? OperationKind::remove : OperationKind::update;
        if (const OperationSpec *operation = destination.object.operation(kind))
            for (const auto &columns : target_addresses(destination, *operation))
                if (pg_call([&] {
                        return find_values(root, relation, clauses, columns, access.values) &&
                               needs_only(root, relation, columns);
                    })) {
                    access.kind = ScanPlan::Kind::none;
                    access.columns = columns;
                    return access;
                }
    }
    for (const auto &columns : lookup_addresses(destination))
        if (pg_call([&] { return find_values(root, relation, clauses, columns, access.values); })) {
            access.kind = ScanPlan::Kind::lookup;
            access.columns = columns;
            return access;
        }
    access.kind = ScanPlan::Kind::list;
    access.values.clear();
    return access;
}

double rows_of(PlannerInfo *root, const Access &access) {
    if (access.kind == ScanPlan::Kind::list)
        return list_rows;
    if (!access.values.front().is_array)
        return 1;
    auto *array = reinterpret_cast<Node *>(access.values.front().value);
    return compat::array_length(root, array);
}

const OperationSpec &lookup_of(const Destination &destination, const Access &access) {
    std::vector<AttrNumber> address;
    for (const DestinationColumn *column : access.columns)
        address.push_back(column->attnum);
    return destination.lookup_by(address);
}

void add_access_path(PlannerInfo *root, RelOptInfo *relation, const Access &access, Relids required_outer) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    pg_call([&] {
        double rows = std::max(1.0, rows_of(root, access));
        Cost cost = rows * cpu_tuple_cost;
        if (access.kind == ScanPlan::Kind::lookup)
            cost += request_cost * std::ceil(rows / lookup_of(destination, access).rows);
        if (access.kind == ScanPlan::Kind::list)
            cost += destination.object.operation(OperationKind::list) == nullptr ? impossible_cost
                                                                                 : request_cost * rows / 100;
        Cost startup = access.kind == ScanPlan::Kind::none ? 0 : request_cost / 10;
        add_path(relation, reinterpret_cast<Path *>(compat::create_foreign_path(root, relation, rows, startup,
                                                                                startup + cost, required_outer)));
    });
}

struct EquivalenceTarget {
    const RelOptInfo *relation;
    const DestinationColumn *column;
};

bool is_equivalence_target(PlannerInfo *, RelOptInfo *, EquivalenceClass *, EquivalenceMember *member, void *argument) {
    auto *target = static_cast<EquivalenceTarget *>(argument);
    return is_column(reinterpret_cast<Node *>(member->em_expr), target->relation, *target->column);
}

/// Clauses by which a join gives the column's value.
List *join_clauses(PlannerInfo *root, RelOptInfo *relation, const DestinationColumn &column) {
    EquivalenceTarget target = {relation, &column};
    List *clauses = NIL;
    if (relation->has_eclass_joins)
        clauses = generate_implied_equalities_for_column(root, relation, is_equivalence_target, &target,
                                                         relation->lateral_referencers);
    ListCell *cell;
    foreach (cell, relation->joininfo) {
        auto *clause = static_cast<RestrictInfo *>(lfirst(cell));
        if (join_clause_is_movable_to(clause, relation) && given_by(root, relation, clause->clause, column))
            clauses = lappend(clauses, clause);
    }
    return clauses;
}

void add_join_paths(PlannerInfo *root, RelOptInfo *relation) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    auto addresses = lookup_addresses(destination);
    addresses.push_back(destination.key_columns());
    addresses.push_back({destination.id_column()});
    for (const DestinationColumn &column : destination.columns) {
        const std::vector<const DestinationColumn *> alone{&column};
        if (std::find(addresses.begin(), addresses.end(), alone) == addresses.end())
            continue;
        List *clauses = pg_call([&] { return join_clauses(root, relation, column); });
        ListCell *cell;
        foreach (cell, clauses) {
            auto *clause = static_cast<RestrictInfo *>(lfirst(cell));
            Relids outer = pg_call([&] {
                Relids others = bms_union(clause->clause_relids, relation->lateral_relids);
                return bms_del_member(others, static_cast<int>(relation->relid));
            });
            if (bms_is_empty(outer))
                continue;
            List *given = pg_call([&] { return list_make1(clause); });
            Access access = choose_access(root, relation, given);
            if (access.kind != ScanPlan::Kind::list)
                add_access_path(root, relation, access, outer);
        }
    }
}

/// An address of several columns: what the query's own clauses do not give of it, a join may.
void add_join_path_of(PlannerInfo *root, RelOptInfo *relation, const std::vector<const DestinationColumn *> &keys) {
    List *given = pg_call([&] { return list_copy(relation->baserestrictinfo); });
    Relids outer = pg_call([&] { return bms_copy(relation->lateral_relids); });
    for (const DestinationColumn *column : keys) {
        const std::vector<const DestinationColumn *> alone{column};
        std::vector<GivenValue> values;
        bool is_given = pg_call([&] { return find_values(root, relation, given, alone, values); });
        List *clauses = is_given ? NIL : pg_call([&] { return join_clauses(root, relation, *column); });
        if (!is_given && clauses == NIL)
            return;
        pg_call([&] {
            if (clauses == NIL)
                return;
            auto *clause = linitial_node(RestrictInfo, clauses);
            given = lappend(given, clause);
            outer = bms_add_members(outer, clause->clause_relids);
        });
    }
    outer = pg_call([&] { return bms_del_member(outer, static_cast<int>(relation->relid)); });
    Access access = choose_access(root, relation, given);
    if (!bms_is_empty(outer) && access.kind != ScanPlan::Kind::list)
        add_access_path(root, relation, access, outer);
}

void add_join_paths_of_several(PlannerInfo *root, RelOptInfo *relation) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    auto addresses = lookup_addresses(destination);
    if (const auto key = destination.key_columns();
        std::find(addresses.begin(), addresses.end(), key) == addresses.end())
        addresses.push_back(key);
    for (const auto &columns : addresses)
        if (columns.size() > 1)
            add_join_path_of(root, relation, columns);
}

bool has_row_trigger(const Destination &destination) {
    return pg_call([&] {
        Relation table = table_open(destination.relation, NoLock);
        const TriggerDesc *triggers = table->trigdesc;
        bool has = triggers != nullptr && (triggers->trig_update_before_row || triggers->trig_update_after_row ||
                                           triggers->trig_delete_before_row || triggers->trig_delete_after_row);
        table_close(table, NoLock);
        return has;
    });
}

/// WHERE names a row by its key or its id, and the API can neither look it up by that nor list nothing but it: to list
/// all there is for one row may take hours, and is for the user to ask for.
void refuse_list_for_named_row(PlannerInfo *root, const RelOptInfo *relation, List *clauses,
                               const std::vector<PushedComparison> &pushed) {
    const Destination &destination = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
    std::vector<RowAddress> names = {destination.key_columns()};
    if (const DestinationColumn *id = destination.id_column())
        names.push_back({id});
    for (const auto &columns : names) {
        std::vector<GivenValue> values;
        const bool is_named = pg_call([&] { return find_values(root, relation, clauses, columns, values); });
        const bool is_left_to_list = std::any_of(pushed.begin(), pushed.end(), [&](const PushedComparison &one) {
            return std::any_of(columns.begin(), columns.end(),
                               [&](const DestinationColumn *column) { return column->attnum == one.column; });
        });
        if (!is_named || is_left_to_list)
            continue;
        std::string by, known;
        for (const DestinationColumn *column : columns)
            by += (by.empty() ? "" : " and ") + column->name;
        for (const auto &address : lookup_addresses(destination)) {
            known += known.empty() ? "" : " or ";
            for (const DestinationColumn *column : address)
                known += (column == address.front() ? "" : " and ") + column->name;
        }
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "destination \"" + destination.name + "\" cannot look rows up by " + by,
                    "All its rows would be listed to find those that WHERE names.",
                    (known.empty() ? "" : "Name them by " + known + ". ") +
                        std::string("To list all rows all the same, put a subquery with OFFSET 0 around the table."));
    }
}

} // namespace

void get_rel_size(PlannerInfo *root, RelOptInfo *relation, Oid table) {
    guard([&] {
        INJECTION_POINT("get_rel_size");
        auto *plan = make_in<RelationPlan>(CurrentMemoryContext);
        plan->destination = open_destination(table, CurrentMemoryContext);
        CmdType command = root->parse->commandType;
        bool is_target = (command == CMD_UPDATE || command == CMD_DELETE) &&
                         root->parse->resultRelation == static_cast<int>(relation->relid);
        plan->may_skip_reading = is_target && !has_row_trigger(*plan->destination);
        relation->fdw_private = plan;
        if (plan->destination->is_read_by_statement() || plan->destination->is_read_from_files()) {
            set_source_size(root, relation);
            return;
        }
        relation->rows = rows_of(root, choose_access(root, relation, relation->baserestrictinfo));
        relation->tuples = std::max(list_rows, relation->rows);
    });
}

void get_paths(PlannerInfo *root, RelOptInfo *relation, Oid) {
    guard([&] {
        INJECTION_POINT("get_paths");
        const Destination &read = *static_cast<RelationPlan *>(relation->fdw_private)->destination;
        if (read.is_read_by_statement() || read.is_read_from_files()) {
            add_source_path(root, relation);
            return;
        }
        Access access = choose_access(root, relation, relation->baserestrictinfo);
        add_access_path(root, relation, access, relation->lateral_relids);
        if (access.kind != ScanPlan::Kind::list)
            return;
        add_join_paths(root, relation);
        add_join_paths_of_several(root, relation);
    });
}

void get_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra) {
    guard([&] {
        INJECTION_POINT("get_upper_paths");
        if (stage == UPPERREL_GROUP_AGG)
            add_grouped_path(root, input, output, static_cast<GroupPathExtraData *>(extra));
    });
}

ForeignScan *get_plan(PlannerInfo *root, RelOptInfo *relation, Oid, ForeignPath *path, List *target_list, List *clauses,
                      Plan *outer_plan) {
    return guard([&] {
        INJECTION_POINT("get_plan");
        auto *known = static_cast<RelationPlan *>(relation->fdw_private);
        const Destination &destination = *known->destination;
        if (relation->reloptkind == RELOPT_UPPER_REL)
            return grouped_scan_plan(relation, target_list, outer_plan);
        if (destination.is_read_by_statement())
            return source_scan_plan(root, relation, path, target_list, clauses, outer_plan);
        if (destination.is_read_from_files())
            return files_scan_plan(relation, target_list, clauses, outer_plan);
        Access access = choose_access(root, relation, clauses);
        ScanPlan plan;
        plan.kind = access.kind;
        for (const DestinationColumn *column : access.columns)
            plan.address.push_back(column->attnum);
        plan.is_array = !access.values.empty() && access.values.front().is_array;
        if (plan.kind == ScanPlan::Kind::none)
            known->address_without_read = plan.address;
        if (plan.kind == ScanPlan::Kind::list && destination.object.operation(OperationKind::list) == nullptr) {
            bool by_key = known->may_skip_reading || !lookup_addresses(destination).empty();
            std::string key;
            for (const std::string &field : destination.object.key)
                key += (key.empty() ? "" : " and ") + field;
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                        "destination \"" + destination.name + "\" cannot be read as a whole",
                        "The API of connector \"" + destination.object.connector + "\" does not list " +
                            destination.object.name + ".",
                        key.empty() || !by_key ? "" : "Name the row in WHERE, by " + key + ".");
        }
        List *quals = pg_call([&] { return extract_actual_clauses(clauses, false); });
        plan.retrieved = retrieved_columns(destination, relation, quals);
        std::vector<PushedComparison> pushed;
        if (plan.kind == ScanPlan::Kind::list) {
            pushed = pushed_comparisons(root, relation, destination, clauses);
            refuse_list_for_named_row(root, relation, clauses, pushed);
        }
        for (const PushedComparison &one : pushed)
            plan.filters.emplace_back(one.column, one.comparison);
        return pg_call([&] {
            List *values = NIL;
            for (const GivenValue &given : access.values)
                values = lappend(values, given.value);
            for (const PushedComparison &one : pushed)
                values = lappend(values, one.value);
            return make_foreignscan(target_list, quals, relation->relid, values, to_list(plan), NIL, NIL, outer_plan);
        });
    });
}

} // namespace reverse_etl
