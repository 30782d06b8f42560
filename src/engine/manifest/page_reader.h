#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

namespace reverse_etl {

/// Reads "next", how a list goes on, into `spec`.
void read_next(const ManifestNode &node, OperationSpec &spec);

} // namespace reverse_etl
