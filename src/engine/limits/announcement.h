#pragma once

#include "engine/http/transport.h"
#include "engine/limits/backoff.h"
#include "engine/manifest/connector.h"

#include <optional>

namespace reverse_etl {

/// What an answer says of a limit.
struct Announcement {
    std::optional<int> limit;           ///< requests a window
    std::optional<int> used, remaining; ///< of them; where both are told, what remains counts
    std::optional<Milliseconds> reset;  ///< when all of them are there again
    std::optional<int> cost = {};       ///< what the request took of them
};

/// Reads what the connector names for the limit, in headers or the body; nothing where none of it says anything of use.
std::optional<Announcement> announced(const RateLimitSpec &limit, const Response &response, WallClock::time_point now,
                                      const BodyText &body = nullptr);

} // namespace reverse_etl
