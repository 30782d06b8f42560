#pragma once

#include "engine/manifest/error_rule.h"
#include "engine/manifest/manifest_node.h"

#include <vector>

namespace reverse_etl {

/// `may_react`: whether they are of one operation that writes rows, in place of which another may be tried.
std::vector<ErrorRule> read_error_rules(const ManifestNode &node, bool may_react = false);

} // namespace reverse_etl
