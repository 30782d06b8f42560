#include "engine/text/iso_moment.h"

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

/// Takes a number of two digits that is none above `most`.
bool take_part(std::string_view &text, int most, int &number) {
    number = take_digits(text, 2);
    return number >= 0 && number <= most;
}

/// "5" of "12:00:00.5".
std::chrono::milliseconds take_fraction(std::string_view &text) {
    int milliseconds = 0;
    for (int digit = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), digit /= 10)
        milliseconds += digit * (text[0] - '0');
    return std::chrono::milliseconds(milliseconds);
}

std::optional<std::chrono::sys_days> take_date(std::string_view &text) {
    const int year = take_digits(text, 4);
    int month = 0, day = 0;
    if (year < 0 || !take(text, '-') || !take_part(text, 12, month) || !take(text, '-') || !take_part(text, 31, day))
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

std::optional<std::chrono::milliseconds> take_time_of_day(std::string_view &text) {
    int hour = 0, minute = 0, second = 0;
    if (!take_part(text, 23, hour) || !take(text, ':') || !take_part(text, 59, minute))
        return std::nullopt;
    std::chrono::milliseconds fraction{};
    if (take(text, ':')) {
        if (!take_part(text, 60, second)) // a leap second is one
            return std::nullopt;
        if (take(text, '.') || take(text, ','))
            fraction = take_fraction(text);
    }
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction;
}

/// What the zone is ahead of UTC; nothing if what is left of the text is none.
std::optional<std::chrono::minutes> zone(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z")
        return std::chrono::minutes(0);
    const bool is_behind = text[0] == '-';
    if (!is_behind && text[0] != '+')
        return std::nullopt;
    text.remove_prefix(1);
    int hours = 0, minutes = 0;
    if (!take_part(text, 23, hours))
        return std::nullopt;
    take(text, ':');
    if (!text.empty() && !take_part(text, 59, minutes))
        return std::nullopt;
    if (!text.empty())
        return std::nullopt;
    return std::chrono::minutes((is_behind ? -1 : 1) * (60 * hours + minutes));
}

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

enum class Part { year, month, day, hour, minute, second, millisecond };
struct Field {
    std::string_view name;
    Part part;
};
constexpr Field fields[] = {{"YYYY", Part::year}, {"YY", Part::year},       {"MM", Part::month},
                            {"DD", Part::day},    {"HH", Part::hour},       {"MI", Part::minute},
                            {"SS", Part::second}, {"MS", Part::millisecond}};

const Field *field_at(std::string_view format) {
    for (const Field &field : fields)
        if (format.starts_with(field.name))
            return &field;
    return nullptr;
}

long part_of(Moment moment, Part part) {
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(moment - day);
    switch (part) {
    case Part::year:
        return int{date.year()};
    case Part::month:
        return unsigned{date.month()};
    case Part::day:
        return unsigned{date.day()};
    case Part::hour:
        return time.hours().count();
    case Part::minute:
        return time.minutes().count();
    case Part::second:
        return time.seconds().count();
    case Part::millisecond:
        return time.subseconds().count();
    }
    return 0;
}

/// The last digits of a number, with zeros before them.
std::string digits_of(long number, std::size_t count) {
    std::string digits = std::to_string(number);
    if (digits.size() > count)
        digits.erase(0, digits.size() - count);
    return std::string(count - digits.size(), '0') + digits;
}

} // namespace

std::optional<Moment> iso_moment(std::string_view text) {
    const std::optional<std::chrono::sys_days> date = take_date(text);
    if (!date || text.empty())
        return date;
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' '))
        return std::nullopt;
    const std::optional<std::chrono::milliseconds> time = take_time_of_day(text);
    const std::optional<std::chrono::minutes> ahead = zone(text);
    return time && ahead ? std::optional(Moment(*date + *time - *ahead)) : std::nullopt;
}

bool is_date_format(std::string_view format) {
    bool has_field = false;
    while (!format.empty()) {
        const Field *field = field_at(format);
        if (field == nullptr && is_letter(format[0]))
            return false;
        has_field |= field != nullptr;
        format.remove_prefix(field == nullptr ? 1 : field->name.size());
    }
    return has_field;
}

std::string in_date_format(Moment moment, std::string_view format) {
    std::string text;
    while (!format.empty()) {
        const Field *field = field_at(format);
        if (field == nullptr)
            text += format[0];
        else
            text += digits_of(part_of(moment, field->part), field->part == Part::millisecond ? 3 : field->name.size());
        format.remove_prefix(field == nullptr ? 1 : field->name.size());
    }
    return text;
}

} // namespace reverse_etl
