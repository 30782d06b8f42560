#pragma once

#include <optional>
#include <string_view>

namespace reverse_etl {

/// The seconds since 1970 of a time as ISO 8601 and RFC 3339 write it: 2026-01-31T12:00:00.5+01:00. Seconds and their
/// fraction may be left out, and without a zone it is UTC. Nothing for any other text.
std::optional<double> iso_time(std::string_view text);

} // namespace reverse_etl
