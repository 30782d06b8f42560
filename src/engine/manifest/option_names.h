#pragma once

#include "engine/manifest/manifest_node.h"

#include <string>

namespace reverse_etl {

/// Fails where an option or a credential of a connector cannot have that name.
void check_option_name(const std::string &name, const ManifestNode &node);

} // namespace reverse_etl
