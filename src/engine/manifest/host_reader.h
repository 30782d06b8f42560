#pragma once

#include "engine/manifest/manifest_node.h"

#include <string>

namespace reverse_etl {

/// A host, or "*." and the end of one: what an answer may choose among.
std::string read_host(const ManifestNode &node);

} // namespace reverse_etl
