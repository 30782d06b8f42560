#pragma once

#include "engine/http/transport.h"
#include "engine/limits/rate_limiter.h"
#include "engine/requests/authenticator.h"
#include "postgres/border/postgres.h"

#include <memory>
#include <vector>

namespace reverse_etl::session {

/// What one backend keeps across statements: its connections, the requests it counted against rate limits, and the
/// access tokens it fetched. Made at first use.
Transport &transport();
Waiter &waiter();
RateLimiter &rate_limiter();

/// Signs as the user mapping's credentials say. Shared by statements, so that a token is fetched once.
std::shared_ptr<Authenticator> authenticator(Oid server, const std::vector<AuthSpec> &kinds,
                                             const Settings &credentials);

} // namespace reverse_etl::session
