#include "postgres/fdw/pushed_filter.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/column_encoders.h"
#include "postgres/fdw/clauses.h"

#include <algorithm>

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

namespace reverse_etl {

namespace {

/// One type for those whose values are compared alike.
Oid compared_type(Oid type) {
    type = getBaseType(type);
    return type == VARCHAROID ? TEXTOID : type;
}

/// Types whose values are the same there and here, and in the same order. Not so texts in order, which is that of a
/// collation; floating-point numbers, which are rounded on the way; types with spellings, as citext and char(n) have.
bool means_the_same(Oid type, Comparison comparison) {
    switch (type) {
    case BOOLOID:
    case TEXTOID:
    case UUIDOID:
        return comparison == Comparison::equal || comparison == Comparison::one_of;
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case NUMERICOID:
    case DATEOID:
    case TIMESTAMPTZOID:
        return true;
    default:
        return false;
    }
}

/// Whether the column's values are sent so that the destination compares what is meant.
bool is_sent_as_it_is(const DestinationColumn &column, Comparison comparison) {
    if (column.encoding.is(ValueForm::native) || column.encoding.is(ValueForm::string))
        return true;
    // Moments are rounded down: what is less than a moment may not be less than that.
    return (column.encoding.is(ValueForm::epoch_s) || column.encoding.is(ValueForm::epoch_ms)) &&
           comparison != Comparison::less;
}

const FilterSpec *filter_of(const Destination &destination, const DestinationColumn &column, Comparison comparison) {
    const FilterSpecs &filters = destination.object.operation(OperationKind::list)->filters;
    auto of_field = filters.find(column.field);
    if (of_field == filters.end())
        return nullptr;
    auto found = of_field->second.find(comparison);
    return found == of_field->second.end() ? nullptr : &found->second;
}

/// The comparison that the operator makes of values of the type, with the order that the type has by itself.
std::optional<Comparison> comparison_of(Oid operation, Oid type) {
    const Oid family = get_opclass_family(GetDefaultOpClass(type, BTREE_AM_OID));
    switch (get_op_opfamily_strategy(operation, family)) {
    case BTEqualStrategyNumber:
        return Comparison::equal;
    case BTLessStrategyNumber:
        return Comparison::less;
    case BTLessEqualStrategyNumber:
        return Comparison::less_or_equal;
    case BTGreaterStrategyNumber:
        return Comparison::greater;
    case BTGreaterEqualStrategyNumber:
        return Comparison::greater_or_equal;
    default:
        return std::nullopt;
    }
}

/// Whether texts are equal only where their bytes are.
bool compares_bytes(Oid type, Oid collation) {
    return type != TEXTOID || (OidIsValid(collation) && get_collation_isdeterministic(collation));
}

/// Planning of one column. Its members are called inside pg_call.
struct ColumnClauses {
    PlannerInfo *root;
    const RelOptInfo *relation;
    const DestinationColumn &column;
    Oid type;

    std::optional<PushedComparison> pushed(Expr *clause) const {
        if (type == BOOLOID)
            if (auto found = of_boolean(clause))
                return found;
        if (IsA(clause, OpExpr))
            return of_operator(reinterpret_cast<OpExpr *>(clause));
        if (IsA(clause, ScalarArrayOpExpr))
            return of_array(reinterpret_cast<ScalarArrayOpExpr *>(clause));
        return std::nullopt;
    }

    /// The planner has made "active" of "active = true", and "NOT active" of the other.
    std::optional<PushedComparison> of_boolean(Expr *clause) const {
        auto *node = reinterpret_cast<Node *>(clause);
        const bool is_negated = is_notclause(node);
        if (is_negated)
            node = reinterpret_cast<Node *>(get_notclausearg(clause));
        if (!is_column(node, relation, column))
            return std::nullopt;
        return PushedComparison{column.attnum, Comparison::equal,
                                reinterpret_cast<Expr *>(makeBoolConst(!is_negated, false))};
    }

    std::optional<PushedComparison> of_operator(OpExpr *expression) const {
        if (list_length(expression->args) != 2 || !compares_bytes(type, expression->inputcollid))
            return std::nullopt;
        auto *left = static_cast<Node *>(linitial(expression->args));
        auto *right = static_cast<Node *>(lsecond(expression->args));
        Oid operation = expression->opno;
        if (is_column(right, relation, column)) {
            std::swap(left, right);
            operation = get_commutator(operation);
        }
        if (!OidIsValid(operation) || !is_column(left, relation, column) || !is_known_before(root, relation, right))
            return std::nullopt;
        std::optional<Comparison> comparison = comparison_of(operation, type);
        Node *value = compared_type(exprType(right)) == type ? right : implicitly_cast(right, type);
        if (!comparison || value == nullptr)
            return std::nullopt;
        return PushedComparison{column.attnum, *comparison, reinterpret_cast<Expr *>(value)};
    }

    std::optional<PushedComparison> of_array(ScalarArrayOpExpr *expression) const {
        auto *left = static_cast<Node *>(linitial(expression->args));
        auto *right = static_cast<Node *>(lsecond(expression->args));
        const Oid element = get_element_type(exprType(right));
        if (!expression->useOr || !compares_bytes(type, expression->inputcollid) ||
            !is_column(left, relation, column) || !is_known_before(root, relation, right) || !OidIsValid(element) ||
            compared_type(element) != type || comparison_of(expression->opno, type) != Comparison::equal)
            return std::nullopt;
        return PushedComparison{column.attnum, Comparison::one_of, reinterpret_cast<Expr *>(right)};
    }
};

/// Appends the value as the column's are sent; false if it cannot be.
bool add_value(ColumnEncoders &encoder, Datum value, MemoryContext scratch, AppliedFilter &filter) {
    const bool is_null = false;
    std::string text, json;
    encoder.set(&value, &is_null);
    try {
        pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(scratch);
            encoder.text(0, text);
            encoder.json(0, json);
            MemoryContextSwitchTo(caller);
        });
    } catch (const ValueRefused &) {
        return false;
    }
    filter.texts.push_back(std::move(text));
    filter.values.push_back(std::move(json));
    return true;
}

struct Elements {
    Datum *values;
    bool *nulls;
    int count;
};

/// The values of a comparison: one, or an array's.
Elements elements_of(Datum value, bool is_array) {
    Elements elements{nullptr, nullptr, 1};
    if (is_array) {
        ArrayType *array = DatumGetArrayTypeP(value);
        int16 length;
        bool by_value;
        char alignment;
        get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
        deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &elements.values, &elements.nulls,
                          &elements.count);
        return elements;
    }
    elements.values = static_cast<Datum *>(palloc(sizeof(Datum)));
    elements.nulls = static_cast<bool *>(palloc0(sizeof(bool)));
    elements.values[0] = value;
    return elements;
}

} // namespace

std::vector<PushedComparison> pushed_comparisons(PlannerInfo *root, const RelOptInfo *relation,
                                                 const Destination &destination, List *clauses) {
    std::vector<PushedComparison> pushed;
    if (destination.object.operation(OperationKind::list)->filters.empty())
        return pushed;
    for (const DestinationColumn &column : destination.columns) {
        const ColumnClauses of_column{root, relation, column, pg_call([&] { return compared_type(column.type); })};
        if (!means_the_same(of_column.type, Comparison::equal))
            continue;
        ListCell *cell;
        foreach (cell, clauses) {
            Expr *clause = static_cast<RestrictInfo *>(lfirst(cell))->clause;
            const std::optional<PushedComparison> one = pg_call([&] { return of_column.pushed(clause); });
            if (!one || !means_the_same(of_column.type, one->comparison) ||
                !is_sent_as_it_is(column, one->comparison) ||
                filter_of(destination, column, one->comparison) == nullptr)
                continue;
            // Said twice, it would be left to the destination which of the two counts.
            const bool is_said = std::any_of(pushed.begin(), pushed.end(), [&](const PushedComparison &other) {
                return other.column == one->column && other.comparison == one->comparison;
            });
            if (!is_said)
                pushed.push_back(*one);
        }
    }
    return pushed;
}

std::optional<ListFilter> list_filter(const Destination &destination, const ScanPlan &plan, List *expressions,
                                      ExprContext *context, MemoryContext scratch) {
    ListFilter filter;
    for (std::size_t i = 0; i < plan.filters.size(); i++) {
        const auto &[attnum, comparison] = plan.filters[i];
        const DestinationColumn *column = destination.column(attnum);
        const FilterSpec *spec = filter_of(destination, *column, comparison);
        if (spec == nullptr)
            continue; // the plan is older than the manifest
        const bool is_list = comparison == Comparison::one_of;
        bool is_null = false;
        const Elements elements = pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(scratch);
            Datum value =
                ExecEvalExpr(static_cast<ExprState *>(list_nth(expressions, static_cast<int>(i))), context, &is_null);
            Elements found = is_null ? Elements{} : elements_of(value, is_list);
            MemoryContextSwitchTo(caller);
            return found;
        });
        AppliedFilter applied{spec, {}, {}, is_list};
        ColumnEncoders encoder(destination, {column});
        bool can_be_said = true;
        for (int element = 0; element < elements.count && can_be_said; element++)
            if (!elements.nulls[element])
                can_be_said = add_value(encoder, elements.values[element], scratch, applied);
        const bool has_none = applied.texts.empty() && can_be_said;
        pg_call([&] { MemoryContextReset(scratch); });
        if (has_none)
            return std::nullopt;
        if (can_be_said && applied.can_be_said())
            filter.push_back(std::move(applied));
    }
    return filter;
}

void show_filter(const Destination &destination, const ScanPlan &plan, List *values, ExplainState *explain) {
    std::string shown;
    for (std::size_t i = 0; i < plan.filters.size(); i++) {
        const auto &[attnum, comparison] = plan.filters[i];
        auto *value = static_cast<Node *>(list_nth(values, static_cast<int>(i)));
        const std::string text = utf8_from([&] { return deparse_expression(value, NIL, false, false); });
        shown += (shown.empty() ? "" : " AND ") + quoted_name(destination.column(attnum)->name) + " ";
        shown += comparison == Comparison::one_of ? "= ANY (" + text + ")"
                                                  : std::string(comparison_name(comparison)) + " " + text;
    }
    pg_call([&] { ExplainPropertyText("Filter at Destination", to_server_legible(shown).c_str(), explain); });
}

} // namespace reverse_etl
