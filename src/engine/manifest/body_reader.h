#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Fails where what an operation sends is no template of a body: a directive that is none, a placeholder that has no
/// meaning where it stands.
void check_body(const ManifestNode &node, OperationKind kind, const std::vector<std::string> &group_by);

} // namespace reverse_etl
