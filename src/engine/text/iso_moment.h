#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

/// A moment as ISO 8601 and RFC 3339 write it: 2026-01-31, 2026-01-31T12:00, 2026-01-31 12:00:00.5+01:00. Seconds and
/// their fraction may be left out, a date alone is its midnight, and without a zone it is UTC; what is finer than a
/// millisecond is cut off. Nothing for any other text.
std::optional<Moment> iso_moment(std::string_view text);

/// Whether a format of dates is one: YYYY, YY, MM, DD, HH, MI, SS and MS, and signs that are no letters.
bool is_date_format(std::string_view format);
/// In UTC.
std::string in_date_format(Moment moment, std::string_view format);

} // namespace reverse_etl
