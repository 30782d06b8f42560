#pragma once

#include "postgres/sources/source_plan.h"

#include <optional>

extern "C" {
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// Finds what of WHERE the source evaluates. Call outside of pg_call.
class Shipping {
  public:
    /// `wants_exact`: columns may be written so that nothing is left to be evaluated here, though the source may then
    /// make less of what it knows of them.
    Shipping(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination, bool wants_exact)
        : root_(root), relation_(relation), destination_(destination), wants_exact_(wants_exact) {}

    /// Nothing for a clause that only Postgres evaluates: what is not surely the same at the source is not said. A
    /// clause that is not exact gives more rows there than here, and never fewer.
    std::optional<ShippedCondition> ship(Expr *clause);

    /// What gives the values of all that was shipped: ForeignScan::fdw_exprs.
    List *values() const { return values_; }

  private:
    /// Two sides of a comparison, the column left; nullptr if there is none.
    struct Sides {
        const DestinationColumn *column = nullptr;
        Node *value = nullptr, *shift = nullptr;
        bool is_back = false;
    };

    std::optional<ShippedCondition> joined(BoolExpr *expression);
    std::optional<ShippedCondition> compared(OpExpr *expression);
    std::optional<ShippedCondition> like(OpExpr *expression);
    std::optional<ShippedCondition> listed(ScalarArrayOpExpr *expression);
    std::optional<ShippedCondition> distinct(DistinctExpr *expression);
    std::optional<ShippedCondition> tested(Expr *clause);
    std::optional<ShippedCondition> of_boolean(BooleanTest *test);
    std::optional<ShippedCondition> comparison(const Sides &sides, SqlComparison comparison, Oid collation);
    Sides shifted(Node *left, Node *right, SqlComparison &comparison) const;
    const DestinationColumn *column_of(Node *node) const;
    bool is_surely_said(const ShippedCondition &condition, Node *value) const;
    bool is_told_apart(Oid type) const;
    bool is_known(Node *value) const;
    int add(Node *value);

    PlannerInfo *const root_;
    const RelOptInfo *const relation_;
    const Destination &destination_;
    const bool wants_exact_;
    List *values_ = NIL;
};

/// The column that the node is, if it is at its source what it is here; nullptr for anything else. Call outside of
/// pg_call.
const DestinationColumn *source_column(const RelOptInfo *relation, const Destination &destination, Node *node);

} // namespace reverse_etl
