#pragma once

#include "engine/manifest/error_rule.h"
#include "engine/manifest/manifest_node.h"

#include <vector>

namespace reverse_etl {

std::vector<ErrorRule> read_error_rules(const ManifestNode &node);

} // namespace reverse_etl
