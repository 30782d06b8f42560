#pragma once

#include "engine/limits/rate_limiter.h"
#include "postgres/shared/shared_memory.h"

namespace reverse_etl {

/// The buckets that all processes of the cluster share.
extern shared_memory::Part rate_limits_part;

/// The process' rate limiter: one that shares its buckets with the whole cluster where the library is preloaded, else
/// one that counts for the process alone.
RateLimiter &rate_limiter_of_process();

} // namespace reverse_etl
