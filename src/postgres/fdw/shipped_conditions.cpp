#include "postgres/fdw/shipped_conditions.h"

#include "postgres/border/border.h"
#include "postgres/fdw/clauses.h"
#include "postgres/sources/source_condition.h"

#include <string_view>
#include <utility>

extern "C" {
#include "access/transam.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

namespace reverse_etl {

namespace {

/// Every call of Postgres is guarded by itself: what is shipped owns memory.
Oid base_type(Oid type) {
    return pg_call([&] { return getBaseType(type); });
}

Oid type_of(Node *node) {
    return pg_call([&] { return exprType(node); });
}

const char *operator_name(Oid oid) {
    // What is not Postgres's own is somebody's.
    const char *name = oid >= FirstNormalObjectId ? nullptr : pg_call([&] { return get_opname(oid); });
    return name == nullptr ? "" : name;
}

bool is_deterministic(Oid collation) {
    return pg_call([&] { return get_collation_isdeterministic(collation); });
}

/// So many values are the most that a clause asks for by comparisons.
constexpr int most_comparisons = 500;

bool is_integer(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

/// The type as its values are compared.
Oid compared_type(Oid type) {
    type = base_type(type);
    return type == VARCHAROID ? TEXTOID : type;
}

std::optional<SqlComparison> comparison_of(Oid oid) {
    static constexpr std::pair<const char *, SqlComparison> known[] = {
        {"=", SqlComparison::equal},       {"<>", SqlComparison::not_equal}, {"<", SqlComparison::less},
        {"<=", SqlComparison::less_equal}, {">", SqlComparison::greater},    {">=", SqlComparison::greater_equal}};
    const std::string_view name = operator_name(oid);
    for (const auto &[text, comparison] : known)
        if (name == text)
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

/// The type that a value has as a parameter, where comparing it with such a column is the same at the source.
Oid parameter_type(Oid column, Oid value) {
    if (is_integer(column) && is_integer(value))
        return column == INT8OID || value == INT8OID   ? INT8OID
               : column == INT4OID || value == INT4OID ? INT4OID
                                                       : INT2OID;
    const bool is_day_and_moment =
        (column == DATEOID && value == TIMESTAMPOID) || (column == TIMESTAMPOID && value == DATEOID);
    const bool is_known = column == TEXTOID || column == BOOLOID || column == NUMERICOID || column == DATEOID ||
                          column == TIMESTAMPOID || column == TIMESTAMPTZOID;
    return is_day_and_moment || (is_known && column == value) ? column : InvalidOid;
}

ShippedCondition any_of(std::initializer_list<ShippedCondition> parts) {
    ShippedCondition any;
    any.join = SqlCondition::Join::any;
    any.parts = parts;
    any.is_exact = true;
    return any;
}

ShippedCondition test_of(AttrNumber column, SqlComparison comparison) {
    ShippedCondition test;
    test.column = column;
    test.comparison = comparison;
    test.is_exact = true;
    return test;
}

/// The sign of an operator that moves days; 0 for any other.
int sign_of(Oid oid) {
    const std::string_view name = operator_name(oid);
    return name == "+" ? 1 : name == "-" ? -1 : 0;
}

} // namespace

const DestinationColumn *source_column(const RelOptInfo *relation, const Destination &destination, Node *node) {
    for (const DestinationColumn &column : destination.columns) {
        if (!is_column(node, relation, column))
            continue;
        int32 typmod = column.typmod;
        const Oid type = pg_call([&] { return getBaseTypeAndTypmod(column.type, &typmod); });
        const bool is_known = destination.source.types.contains(column.attnum);
        // A precision rounds what is read.
        const bool is_whole = typmod == -1 || type == TEXTOID || type == VARCHAROID;
        return is_known && is_whole && source_type_name(type) == type_at_source(destination, column.attnum) ? &column
                                                                                                            : nullptr;
    }
    return nullptr;
}

const DestinationColumn *Shipping::column_of(Node *node) const {
    return source_column(relation_, destination_, node);
}

bool Shipping::is_known(Node *value) const {
    return pg_call([&] { return is_known_before(root_, relation_, value); });
}

int Shipping::add(Node *value) {
    values_ = pg_call([&] { return lappend(values_, value); });
    return list_length(values_) - 1;
}

/// Whether what is equal there is equal here, and what is less is less.
bool Shipping::is_told_apart(Oid type) const {
    if (is_integer(type) || type == BOOLOID || type == NUMERICOID || type == DATEOID)
        return true;
    return wants_exact_ && destination_.source.statement->spec.dialect.exact.contains(source_type_name(type));
}

/// Whether the source can surely be told of the value when it is there: of others it is looked at when they are.
bool Shipping::is_surely_said(const ShippedCondition &condition, Node *value) const {
    const DialectSpec &dialect = destination_.source.statement->spec.dialect;
    const bool takes_all = dialect.parameters.at(source_type_name(condition.type)).only == nullptr;
    if ((is_integer(condition.type) || condition.type == BOOLOID) && takes_all && !condition.is_array)
        return true;
    auto *constant = reinterpret_cast<Const *>(value);
    if (!IsA(value, Const) || constant->constisnull)
        return false;
    const GivenDatums given = [&](int) -> GivenDatum { return {constant->consttype, constant->constvalue}; };
    ShippedCondition exact = condition;
    exact.value = 0;
    return said_condition(destination_, exact, given).kind == SaidCondition::Kind::said;
}

/// A day that is moved, as a day that the other side is moved by: born + 7 > x is born > x - 7.
Shipping::Sides Shipping::shifted(Node *left, Node *right, SqlComparison &comparison) const {
    auto *expression = reinterpret_cast<OpExpr *>(left);
    const int sign = IsA(left, OpExpr) && list_length(expression->args) == 2 ? sign_of(expression->opno) : 0;
    if (sign == 0)
        return {};
    auto *first = static_cast<Node *>(linitial(expression->args));
    auto *second = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(first);
    if (column == nullptr && (column = column_of(second)) != nullptr) {
        std::swap(first, second);
        if (sign < 0) { // x - born > 7 is born < x - 7
            if (base_type(column->type) != DATEOID || type_of(second) != DATEOID)
                return {};
            comparison = commuted(comparison);
            return {column, second, right, true};
        }
    }
    const Oid type = column == nullptr ? InvalidOid : base_type(column->type);
    const Oid moved_by = type_of(second);
    if (type == DATEOID && moved_by == DATEOID && sign < 0) // born - x > 7 is born > x + 7
        return {column, second, right, false};
    const bool is_moved = (type == DATEOID && (is_integer(moved_by) || moved_by == INTERVALOID)) ||
                          (type == TIMESTAMPOID && moved_by == INTERVALOID);
    return is_moved ? Sides{column, right, second, sign > 0} : Sides{};
}

std::optional<ShippedCondition> Shipping::comparison(const Sides &sides, SqlComparison comparison, Oid collation) {
    if (sides.column == nullptr || !is_known(sides.value) || (sides.shift != nullptr && !is_known(sides.shift)))
        return std::nullopt;
    const Oid column = compared_type(sides.column->type), value = compared_type(type_of(sides.value));
    ShippedCondition one;
    one.column = sides.column->attnum;
    one.comparison = comparison;
    one.type = parameter_type(column, value);
    one.is_moment = column == DATEOID && value == TIMESTAMPOID;
    one.is_back = sides.is_back;
    const std::string type = source_type_name(one.type);
    if (type.empty() || !can_say(destination_.source.statement->spec.dialect, type, comparison))
        return std::nullopt;
    const bool is_equality = comparison == SqlComparison::equal || comparison == SqlComparison::not_equal;
    // The order of texts is that of a collation, and of booleans nobody asks.
    if (((column == TEXTOID || column == BOOLOID) && !is_equality) ||
        (column == TEXTOID && !is_deterministic(collation)))
        return std::nullopt;
    one.is_apart = is_told_apart(column) && (column == value || is_integer(value)) && sides.shift == nullptr;
    // More may be equal there than here.
    if (comparison == SqlComparison::not_equal && !one.is_apart)
        return std::nullopt;
    one.is_exact = one.is_apart && is_surely_said(one, sides.value);
    one.value = add(sides.value);
    if (sides.shift != nullptr)
        one.shift = add(sides.shift);
    return one;
}

std::optional<ShippedCondition> Shipping::compared(OpExpr *expression) {
    if (list_length(expression->args) != 2)
        return std::nullopt;
    if (expression->opno == OID_TEXT_LIKE_OP)
        return like(expression);
    std::optional<SqlComparison> found = comparison_of(expression->opno);
    if (!found)
        return std::nullopt;
    auto *left = static_cast<Node *>(linitial(expression->args));
    auto *right = static_cast<Node *>(lsecond(expression->args));
    for (int side = 0; side < 2; side++) {
        if (const DestinationColumn *column = column_of(left))
            return comparison({column, right}, *found, expression->inputcollid);
        SqlComparison moved = *found;
        if (const Sides sides = shifted(left, right, moved); sides.column != nullptr)
            return comparison(sides, moved, expression->inputcollid);
        std::swap(left, right);
        found = commuted(*found);
    }
    return std::nullopt;
}

std::optional<ShippedCondition> Shipping::like(OpExpr *expression) {
    auto *value = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(static_cast<Node *>(linitial(expression->args)));
    if (column == nullptr || compared_type(column->type) != TEXTOID || !is_known(value) ||
        !is_deterministic(expression->inputcollid) ||
        !can_say(destination_.source.statement->spec.dialect, "text", SqlComparison::like))
        return std::nullopt;
    ShippedCondition one;
    one.column = column->attnum;
    one.comparison = SqlComparison::like;
    one.type = TEXTOID;
    one.value = add(value);
    return one;
}

std::optional<ShippedCondition> Shipping::listed(ScalarArrayOpExpr *expression) {
    auto *value = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(static_cast<Node *>(linitial(expression->args)));
    const SqlComparison wanted = expression->useOr ? SqlComparison::equal : SqlComparison::not_equal;
    if (column == nullptr || comparison_of(expression->opno) != wanted || !is_known(value))
        return std::nullopt;
    const Oid type = compared_type(column->type),
              element = compared_type(pg_call([&] { return get_element_type(exprType(value)); }));
    ShippedCondition one;
    one.column = column->attnum;
    one.comparison = wanted;
    one.type = type == element || is_integer(type) ? parameter_type(type, element) : InvalidOid;
    one.is_array = true;
    const std::string name = source_type_name(one.type);
    if (name.empty() || !can_say(destination_.source.statement->spec.dialect, name, wanted) ||
        (type == TEXTOID && !is_deterministic(expression->inputcollid)))
        return std::nullopt;
    one.is_apart = is_told_apart(type);
    if (wanted == SqlComparison::not_equal && !one.is_apart)
        return std::nullopt;
    // A list may be too long to be said.
    one.is_exact = one.is_apart && is_surely_said(one, value);
    one.value = add(value);
    return one;
}

std::optional<ShippedCondition> Shipping::distinct(DistinctExpr *expression) {
    auto *value = static_cast<Node *>(lsecond(expression->args));
    const DestinationColumn *column = column_of(static_cast<Node *>(linitial(expression->args)));
    if (column == nullptr || !IsA(value, Const) || reinterpret_cast<Const *>(value)->constisnull ||
        comparison_of(expression->opno) != SqlComparison::equal)
        return std::nullopt;
    auto other = comparison({column, value}, SqlComparison::not_equal, expression->inputcollid);
    if (!other || !other->is_exact)
        return std::nullopt;
    return any_of({*other, test_of(column->attnum, SqlComparison::is_null)});
}

std::optional<ShippedCondition> Shipping::of_boolean(BooleanTest *test) {
    const DestinationColumn *column = column_of(reinterpret_cast<Node *>(test->arg));
    if (column == nullptr || base_type(column->type) != BOOLOID)
        return std::nullopt;
    const auto is = [&](SqlComparison comparison) { return test_of(column->attnum, comparison); };
    switch (test->booltesttype) {
    case IS_TRUE:
        return is(SqlComparison::is_true);
    case IS_FALSE:
        return is(SqlComparison::is_false);
    case IS_NOT_TRUE:
        return any_of({is(SqlComparison::is_false), is(SqlComparison::is_null)});
    case IS_NOT_FALSE:
        return any_of({is(SqlComparison::is_true), is(SqlComparison::is_null)});
    case IS_UNKNOWN:
        return is(SqlComparison::is_null);
    case IS_NOT_UNKNOWN:
        return is(SqlComparison::is_not_null);
    }
    return std::nullopt;
}

std::optional<ShippedCondition> Shipping::tested(Expr *clause) {
    auto *node = reinterpret_cast<Node *>(clause);
    if (IsA(clause, NullTest)) {
        auto *test = reinterpret_cast<NullTest *>(clause);
        const DestinationColumn *column = test->argisrow ? nullptr : column_of(reinterpret_cast<Node *>(test->arg));
        if (column == nullptr)
            return std::nullopt;
        return test_of(column->attnum,
                       test->nulltesttype == IS_NULL ? SqlComparison::is_null : SqlComparison::is_not_null);
    }
    if (IsA(clause, BooleanTest))
        return of_boolean(reinterpret_cast<BooleanTest *>(clause));
    const bool is_not = IsA(clause, BoolExpr);
    if (is_not)
        node = static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(clause)->args));
    const DestinationColumn *column = column_of(node);
    if (column == nullptr || base_type(column->type) != BOOLOID)
        return std::nullopt;
    return test_of(column->attnum, is_not ? SqlComparison::is_false : SqlComparison::is_true);
}

/// Of conditions that all have to hold, those are left out that are not shipped; of those of which one has to, none is,
/// and where nothing is to be left here, of no others.
std::optional<ShippedCondition> Shipping::joined(BoolExpr *expression) {
    ShippedCondition join;
    join.join = expression->boolop == AND_EXPR ? SqlCondition::Join::all : SqlCondition::Join::any;
    join.is_exact = true;
    List *before = pg_call([&] { return list_copy(values_); });
    ListCell *cell;
    foreach (cell, expression->args) {
        auto part = ship(static_cast<Expr *>(lfirst(cell)));
        if (!part && (join.join == SqlCondition::Join::any || wants_exact_)) {
            values_ = before;
            return std::nullopt;
        }
        join.is_exact &= part && part->is_exact;
        if (part)
            join.parts.push_back(std::move(*part));
    }
    if (join.parts.empty())
        return std::nullopt;
    return join;
}

std::optional<ShippedCondition> Shipping::ship(Expr *clause) {
    if (list_length(values_) >= most_comparisons)
        return std::nullopt;
    if (IsA(clause, OpExpr))
        return compared(reinterpret_cast<OpExpr *>(clause));
    if (IsA(clause, ScalarArrayOpExpr))
        return listed(reinterpret_cast<ScalarArrayOpExpr *>(clause));
    if (IsA(clause, DistinctExpr))
        return distinct(reinterpret_cast<DistinctExpr *>(clause));
    if (IsA(clause, BoolExpr) && reinterpret_cast<BoolExpr *>(clause)->boolop != NOT_EXPR)
        return joined(reinterpret_cast<BoolExpr *>(clause));
    return tested(clause);
}

} // namespace reverse_etl
