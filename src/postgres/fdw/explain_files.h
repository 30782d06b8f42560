#pragma once

#include "postgres/files/files_plan.h"

extern "C" {
#include "nodes/execnodes.h"
}

struct ExplainState;

namespace reverse_etl {

/// What EXPLAIN says of a scan of files.
void show_files_scan(ForeignScanState *node, ExplainState *explain);

} // namespace reverse_etl
