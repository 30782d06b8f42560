#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

namespace reverse_etl {

/// Reads one operation, or a part of one (what "defaults" holds): a missing "request" is the caller's to notice.
OperationSpec read_operation(const ManifestNode &node, OperationKind kind);

} // namespace reverse_etl
