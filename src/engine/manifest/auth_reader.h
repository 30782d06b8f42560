#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/manifest_node.h"
#include "engine/manifest/option_spec.h"

namespace reverse_etl {

/// One way to sign requests. Placeholders that name none of the options name credentials.
AuthSpec read_auth(const ManifestNode &node);

} // namespace reverse_etl
