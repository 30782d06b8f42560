#include "engine/text/iso_time.h"

#include <chrono>

namespace reverse_etl {

namespace {

/// Takes so many digits from the beginning of the text; -1 if there are not as many.
int take_digits(std::string_view &text, std::size_t digits) {
    int number = 0;
    if (text.size() < digits)
        return -1;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9')
            return -1;
        number = 10 * number + (c - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view &text, char sign) {
    if (!text.starts_with(sign))
        return false;
    text.remove_prefix(1);
    return true;
}

/// ".5" of a second.
double take_fraction(std::string_view &text) {
    double fraction = 0, digit = 0.1;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), digit /= 10)
        fraction += digit * (text[0] - '0');
    return fraction;
}

/// The seconds that the zone is ahead of UTC; nothing if what is left of the text is none.
std::optional<int> zone(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z")
        return 0;
    const bool is_behind = text[0] == '-';
    if (!is_behind && text[0] != '+')
        return std::nullopt;
    text.remove_prefix(1);
    const int hours = take_digits(text, 2);
    take(text, ':');
    const int minutes = text.empty() ? 0 : take_digits(text, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty())
        return std::nullopt;
    return (is_behind ? -60 : 60) * (60 * hours + minutes);
}

} // namespace

std::optional<double> iso_time(std::string_view text) {
    const int year = take_digits(text, 4);
    const bool has_month = take(text, '-');
    const int month = take_digits(text, 2);
    const bool has_day = take(text, '-');
    const int day = take_digits(text, 2);
    const bool has_time = take(text, 'T') || take(text, 't') || take(text, ' ');
    const int hour = take_digits(text, 2);
    const bool has_minute = take(text, ':');
    const int minute = take_digits(text, 2);
    if (year < 0 || !has_month || month < 0 || !has_day || day < 0 || !has_time || hour < 0 || hour > 23 ||
        !has_minute || minute < 0 || minute > 59)
        return std::nullopt;
    int second = 0;
    double fraction = 0;
    if (take(text, ':')) {
        second = take_digits(text, 2);
        if (second < 0 || second > 60) // a leap second is one
            return std::nullopt;
        if (take(text, '.') || take(text, ','))
            fraction = take_fraction(text);
    }
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    const std::optional<int> ahead = zone(text);
    if (!date.ok() || !ahead)
        return std::nullopt;
    const auto days = std::chrono::sys_days(date).time_since_epoch().count();
    return 86400.0 * static_cast<double>(days) + 3600 * hour + 60 * minute + second + fraction - *ahead;
}

} // namespace reverse_etl
