#pragma once

#include <chrono>
#include <string>

namespace reverse_etl {

/// The time in UTC, as the format of strftime() says.
std::string utc_time(std::chrono::system_clock::time_point when, const char *format);

} // namespace reverse_etl
