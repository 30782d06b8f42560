#include "postgres/fdw/shipped_conditions.h"

#include "postgres/fdw/clauses.h"

#include <cstring>
#include <utility>

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

bool is_integer(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

/// Types of which the source can be told any value, and compares all as Postgres does. Of others what is found there
/// is looked at once more here: a decimal may have more digits than the source's, a date may be infinite, and a
/// collation may take two texts for one.
bool is_exact(Oid type) {
    return is_integer(type) || type == BOOLOID;
}

bool has_order(Oid type) {
    return is_integer(type) || type == NUMERICOID || type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/// The column that the node is, if it is at its source what it is here; nullptr for anything else.
const DestinationColumn *column_of(const RelOptInfo *relation, const Destination &destination, Node *node) {
    for (const DestinationColumn &column : destination.columns) {
        if (!is_column(node, relation, column))
            continue;
        const Oid type = getBaseType(column.type);
        const bool is_known = destination.source.types.contains(column.attnum);
        return is_known && source_type_name(type) == type_at_source(destination, column.attnum) ? &column : nullptr;
    }
    return nullptr;
}

std::optional<SqlComparison> comparison_of(Oid oid) {
    static constexpr std::pair<const char *, SqlComparison> known[] = {
        {"=", SqlComparison::equal},       {"<>", SqlComparison::not_equal}, {"<", SqlComparison::less},
        {"<=", SqlComparison::less_equal}, {">", SqlComparison::greater},    {">=", SqlComparison::greater_equal}};
    if (oid >= FirstNormalObjectId)
        return std::nullopt; // somebody's own
    char *name = get_opname(oid);
    for (const auto &[text, comparison] : known)
        if (name != nullptr && std::strcmp(name, text) == 0)
            return comparison;
    return std::nullopt;
}

SqlComparison commuted(SqlComparison comparison) {
    switch (comparison) {
    case SqlComparison::less:
        return SqlComparison::greater;
    case SqlComparison::less_equal:
        return SqlComparison::greater_equal;
    case SqlComparison::greater:
        return SqlComparison::less;
    case SqlComparison::greater_equal:
        return SqlComparison::less_equal;
    default:
        return comparison;
    }
}

/// Whether comparing values of the column with one of `type` is the same at the source.
bool means_the_same(Oid type_of_column, Oid type, SqlComparison comparison, Oid collation) {
    type_of_column = getBaseType(type_of_column);
    if (is_integer(type_of_column) && is_integer(type))
        return true;
    const auto plain = [](Oid oid) { return oid == VARCHAROID ? TEXTOID : oid; };
    if (plain(type_of_column) != plain(type))
        return false;
    if (plain(type_of_column) == TEXTOID)
        return comparison == SqlComparison::equal && get_collation_isdeterministic(collation);
    return has_order(type_of_column) || (type_of_column == BOOLOID && (comparison == SqlComparison::equal ||
                                                                       comparison == SqlComparison::not_equal));
}

std::optional<Shipped> shipped_operator(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination,
                                        OpExpr *expression) {
    std::optional<SqlComparison> comparison = comparison_of(expression->opno);
    if (!comparison || list_length(expression->args) != 2)
        return std::nullopt;
    auto *left = static_cast<Node *>(linitial(expression->args));
    auto *right = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(relation, destination, left);
    if (column == nullptr) {
        std::swap(left, right);
        comparison = commuted(*comparison);
        column = column_of(relation, destination, left);
    }
    if (column == nullptr || !is_known_before(root, relation, right) ||
        !means_the_same(column->type, exprType(right), *comparison, expression->inputcollid))
        return std::nullopt;
    return Shipped{{column->attnum, *comparison, 0, false, is_exact(getBaseType(column->type))},
                   reinterpret_cast<Expr *>(right)};
}

std::optional<Shipped> shipped_list(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination,
                                    ScalarArrayOpExpr *expression) {
    auto *left = static_cast<Node *>(linitial(expression->args));
    auto *right = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(relation, destination, left);
    if (!expression->useOr || comparison_of(expression->opno) != SqlComparison::equal || column == nullptr ||
        !is_known_before(root, relation, right) ||
        !means_the_same(column->type, get_element_type(exprType(right)), SqlComparison::equal, expression->inputcollid))
        return std::nullopt;
    // A list may be too long to be said.
    return Shipped{{column->attnum, SqlComparison::equal, 0, true, false}, reinterpret_cast<Expr *>(right)};
}

std::optional<Shipped> shipped_test(const RelOptInfo *relation, const Destination &destination, Expr *clause) {
    SqlComparison comparison = SqlComparison::is_true;
    auto *tested = reinterpret_cast<Node *>(clause);
    if (IsA(clause, NullTest)) {
        auto *test = reinterpret_cast<NullTest *>(clause);
        if (test->argisrow)
            return std::nullopt;
        tested = reinterpret_cast<Node *>(test->arg);
        comparison = test->nulltesttype == IS_NULL ? SqlComparison::is_null : SqlComparison::is_not_null;
    } else if (IsA(clause, BoolExpr) && reinterpret_cast<BoolExpr *>(clause)->boolop == NOT_EXPR) {
        tested = static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(clause)->args));
        comparison = SqlComparison::is_false;
    }
    const DestinationColumn *column = column_of(relation, destination, tested);
    if (column == nullptr || (!IsA(clause, NullTest) && getBaseType(column->type) != BOOLOID))
        return std::nullopt;
    return Shipped{{column->attnum, comparison, -1, false, true}, nullptr};
}

} // namespace

std::optional<Shipped> shipped(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination,
                               Expr *clause) {
    std::optional<Shipped> found;
    if (IsA(clause, OpExpr))
        found = shipped_operator(root, relation, destination, reinterpret_cast<OpExpr *>(clause));
    else if (IsA(clause, ScalarArrayOpExpr))
        found = shipped_list(root, relation, destination, reinterpret_cast<ScalarArrayOpExpr *>(clause));
    else
        found = shipped_test(relation, destination, clause);
    if (found && !can_say(destination.source.statement->spec.dialect,
                          type_at_source(destination, found->condition.column), found->condition.comparison))
        return std::nullopt;
    return found;
}

} // namespace reverse_etl
