#include "engine/text/times.h"

#include <ctime>

namespace reverse_etl {

std::string utc_time(std::chrono::system_clock::time_point when, const char *format) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    return std::string(text, std::strftime(text, sizeof(text), format, &parts));
}

} // namespace reverse_etl
