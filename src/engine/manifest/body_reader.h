#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// Fails where what an operation sends is no template of a body: a directive that is none, a placeholder that has no
/// meaning where it stands, a shape that its format does not have. The format of a file is read into `format`.
/// `group_by` are the fields whose values its rows have in common.
void check_body(const ManifestNode &node, OperationKind kind, BodyFormat &format,
                const std::vector<std::string> &group_by);

/// The same of what a column says of how its value is written.
void check_column_template(const ManifestNode &node);

/// The parts of the body whose columns it places.
std::set<std::string> parts_of(const Json &body);

} // namespace reverse_etl
