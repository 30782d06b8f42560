#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"

#include <optional>

namespace reverse_etl {

/// What an answer says of a limit.
struct Announcement {
    std::optional<int> limit;           ///< requests a window
    std::optional<int> used, remaining; ///< of them; where both are told, what remains counts
    std::optional<Milliseconds> reset;  ///< when all of them are there again
};

/// Reads the headers that the connector names for the limit; nothing where none of them says anything of use.
std::optional<Announcement> announced(const RateLimitSpec &limit, const Response &response, WallClock::time_point now);

} // namespace reverse_etl
