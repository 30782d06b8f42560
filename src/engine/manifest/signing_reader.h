#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Reads a kind of auth that signs requests which are complete.
AuthSpec read_signing(const ManifestNode &node);

} // namespace reverse_etl
