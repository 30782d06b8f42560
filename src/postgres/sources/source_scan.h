#pragma once

#include "engine/sources/statement_run.h"
#include "postgres/sources/source_plan.h"
#include "postgres/sources/table_scan.h"

#include <memory>

extern "C" {
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// A scan of a table that SQL at the source reads. `keeps`: rows are kept, for the scan may begin anew.
std::unique_ptr<TableScan> make_source_scan(const Destination &destination, SourcePlan plan, Oid user,
                                            ForeignScanState *node, bool keeps);

} // namespace reverse_etl
