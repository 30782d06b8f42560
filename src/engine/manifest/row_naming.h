#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Fails where a request that is about one row, to change, delete or read it, does not say which. `key` and `id` are
/// the fields by which the manifest knows rows of the object.
void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &key,
                     const std::string &id);

} // namespace reverse_etl
