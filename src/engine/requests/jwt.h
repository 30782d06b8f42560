#pragma once

#include "engine/manifest/token_spec.h"
#include "engine/requests/token_request.h"
#include "engine/world/clock.h"

#include <string>

namespace reverse_etl {

/// A JSON Web Token (RFC 7519, 7515) that is signed now. Throws DestinationError where the key is none of the
/// algorithm's; the message holds nothing of it.
std::string signed_jwt(const JwtSpec &spec, const FillIn &fill_in, WallClock::time_point now);

} // namespace reverse_etl
