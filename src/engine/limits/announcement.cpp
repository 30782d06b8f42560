#include "engine/limits/announcement.h"

#include "engine/limits/backoff.h"

#include <charconv>

namespace reverse_etl {

namespace {

std::optional<int> number_in(const Response &response, const NumberHeader &header) {
    const std::string *text = header.name.empty() ? nullptr : response.header(header.name);
    std::size_t begin = text == nullptr ? std::string::npos : text->find(header.after);
    if (begin == std::string::npos)
        return std::nullopt;
    begin += header.after.size();
    int value = 0;
    if (std::from_chars(text->data() + begin, text->data() + text->size(), value).ec != std::errc())
        return std::nullopt;
    return value;
}

} // namespace

std::optional<Announcement> announced(const RateLimitSpec &limit, const Response &response, WallClock::time_point now) {
    Announcement announcement{number_in(response, limit.limit_header), number_in(response, limit.used_header),
                              number_in(response, limit.remaining_header), wait_of(response, limit.reset_header, now)};
    if (!announcement.limit && !announcement.used && !announcement.remaining)
        return std::nullopt;
    return announcement;
}

} // namespace reverse_etl
