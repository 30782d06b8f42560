#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

namespace reverse_etl {

/// Reads how one part of an answer tells of rows.
ResultSpec read_result(const ManifestNode &node);

/// Reads "outcome", how an answer tells what became of each row, into `spec`.
void read_outcome(const ManifestNode &node, OperationSpec &spec);

} // namespace reverse_etl
