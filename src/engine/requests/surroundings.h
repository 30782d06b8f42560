#pragma once

#include "engine/http/transport.h"
#include "engine/limits/rate_limiter.h"

namespace reverse_etl {

/// What all requests of a process share.
struct Surroundings {
    Transport &transport;
    Waiter &waiter;
    RateLimiter &limiter;
};

} // namespace reverse_etl
