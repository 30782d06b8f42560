#pragma once

#include "engine/manifest/check_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// A check that is only a request, as an object.
void normalize_check(Json &manifest);

CheckSpec read_check(const ManifestNode &node);

} // namespace reverse_etl
