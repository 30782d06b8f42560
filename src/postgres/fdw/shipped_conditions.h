#pragma once

#include "postgres/sources/source_plan.h"

#include <optional>

extern "C" {
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// What of a clause of WHERE the source evaluates.
struct Shipped {
    ShippedCondition condition;
    Expr *value = nullptr; ///< nullptr: it takes none
};

/// Nothing for a clause that only Postgres evaluates: what is not surely the same at the source is not said. Call
/// inside pg_call.
std::optional<Shipped> shipped(PlannerInfo *root, const RelOptInfo *relation, const Destination &destination,
                               Expr *clause);

} // namespace reverse_etl
