#pragma once

#include "engine/manifest/derived_spec.h"
#include "engine/manifest/manifest_node.h"

#include <vector>

namespace reverse_etl {

/// The derived values that an object has, its own and all objects'. Fails where one of them has the name of a column,
/// or is derived from none.
std::vector<DerivedSpec> read_derived(const ManifestNode &manifest, const ManifestNode &object);

} // namespace reverse_etl
