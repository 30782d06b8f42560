#pragma once

#include "engine/manifest/rate_limit_spec.h"

#include <string>

namespace reverse_etl {

/// The limit in words: "100 requests per 10 seconds".
std::string described(const RateLimitSpec &limit);

} // namespace reverse_etl
