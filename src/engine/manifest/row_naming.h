#pragma once

#include "engine/manifest/derived_spec.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Fails where a request that is about one row, to change, delete or read it, does not say which. `key` and `id` are
/// the fields by which the manifest knows rows of the object; a value that is derived from one stands for it.
void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &key,
                     const std::string &id, const std::vector<DerivedSpec> &derived);

} // namespace reverse_etl
