#include "engine/limits/announcement.h"

#include <charconv>
#include <string_view>

namespace reverse_etl {

namespace {

std::optional<int> number_in(std::string_view text) {
    int value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
        return std::nullopt;
    return value;
}

std::optional<int> number_in(const Response &response, const ToldNumber &told, const BodyText &body) {
    if (told.body && body) {
        const std::optional<std::string> text = body(*told.body);
        return text ? number_in(*text) : std::nullopt;
    }
    const std::string *text = told.name.empty() ? nullptr : response.header(told.name);
    const std::size_t begin = text == nullptr ? std::string::npos : text->find(told.after);
    if (begin == std::string::npos)
        return std::nullopt;
    return number_in(std::string_view(*text).substr(begin + told.after.size()));
}

} // namespace

std::optional<Announcement> announced(const RateLimitSpec &limit, const Response &response, WallClock::time_point now,
                                      const BodyText &body) {
    Announcement announcement{number_in(response, limit.limit_header, body),
                              number_in(response, limit.used_header, body),
                              number_in(response, limit.remaining_header, body),
                              wait_of(response, limit.reset_header, now, body), number_in(response, limit.cost, body)};
    if (!announcement.limit && !announcement.used && !announcement.remaining && !announcement.cost)
        return std::nullopt;
    return announcement;
}

} // namespace reverse_etl
