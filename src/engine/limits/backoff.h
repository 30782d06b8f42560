#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"

#include <functional>
#include <optional>
#include <random>
#include <string>

namespace reverse_etl {

/// The delay before attempt number `attempt` (the first retry is 1): full jitter, uniform between 0 and
/// min(cap, base * 2^(attempt-1)).
Milliseconds backoff(int attempt, Milliseconds base, Milliseconds cap, std::mt19937_64 &random);

/// What goes on top of a wait that was asked for; the usual pause would have been `pause`.
Milliseconds jitter_of(Jitter jitter, Milliseconds asked, Milliseconds pause, std::mt19937_64 &random);

/// The wait that a header gives as a number of units (fractions are met in the wild). Never negative; nothing when the
/// text is no number.
std::optional<Milliseconds> wait_of(const std::string &text, Milliseconds unit);

/// The text or number at a JSON pointer of an answer's body; nothing where neither stands there.
using BodyText = std::function<std::optional<std::string>(const std::string &pointer)>;

/// Reads what the connector names. Never negative; nothing when nothing is there or it is not in its unit.
std::optional<Milliseconds> wait_of(const Response &response, const ToldTime &told, WallClock::time_point now,
                                    const BodyText &body = nullptr);

/// Reads Retry-After in both forms of RFC 9110 section 10.2.3: seconds or an HTTP date, which is measured against the
/// answer's own Date header where there is one, since clocks differ. Never negative; nothing when there is no such
/// header or it says nothing intelligible.
std::optional<Milliseconds> retry_after(const Response &response, WallClock::time_point now);

} // namespace reverse_etl
