#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

namespace reverse_etl {

/// Reads where the key goes by which the destination knows a repeated request: a header, or a member of the body, whose
/// template gets it.
void read_idempotency_key(const ManifestNode &node, OperationSpec &spec);

} // namespace reverse_etl
