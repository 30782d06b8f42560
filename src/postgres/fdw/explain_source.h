#pragma once

#include "postgres/sources/source_plan.h"

extern "C" {
#include "nodes/execnodes.h"
}

struct ExplainState;

namespace reverse_etl {

/// What EXPLAIN says of a scan by SQL at the source. Nothing is sent.
void show_source_scan(ForeignScanState *node, const SourcePlan &plan, ExplainState *explain);

} // namespace reverse_etl
