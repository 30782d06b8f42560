#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/rate_limit_spec.h"

#include <vector>

namespace reverse_etl {

std::vector<RateLimitSpec> read_rate_limits(const ManifestNode &node);

} // namespace reverse_etl
