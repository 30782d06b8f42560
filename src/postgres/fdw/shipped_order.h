#pragma once

#include "postgres/sources/source_plan.h"

#include <vector>

extern "C" {
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// The order that the query asks for, as the source has it; empty where that is not surely the same, as of texts. Call
/// outside of pg_call.
std::vector<SourceOrder> shipped_order(const PlannerInfo *root, const RelOptInfo *relation,
                                       const Destination &destination);

} // namespace reverse_etl
