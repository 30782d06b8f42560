#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Reads a kind of auth that signs requests which are complete into `auth`.
void read_signing(const ManifestNode &node, AuthSpec &auth);

} // namespace reverse_etl
