#include "engine/text/iso_moment.h"

#include <chrono>
#include <utility>

namespace reverse_etl {

namespace {

/// Takes so many digits from the front of the text; -1 if they are not there.
int take_number(std::string_view &text, std::size_t digits) {
    if (text.size() < digits)
        return -1;
    int number = 0;
    for (std::size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
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

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

struct Field {
    std::string_view name;
    int IsoMoment::*number;
};
constexpr Field fields[] = {{"YYYY", &IsoMoment::year}, {"YY", &IsoMoment::year},       {"MM", &IsoMoment::month},
                            {"DD", &IsoMoment::day},    {"HH", &IsoMoment::hour},       {"MI", &IsoMoment::minute},
                            {"SS", &IsoMoment::second}, {"MS", &IsoMoment::millisecond}};

const Field *field_at(std::string_view format) {
    for (const Field &field : fields)
        if (format.starts_with(field.name))
            return &field;
    return nullptr;
}

std::string digits_of(int number, std::size_t count) {
    std::string digits = std::to_string(number);
    if (digits.size() > count)
        digits.erase(0, digits.size() - count);
    return std::string(count - digits.size(), '0') + digits;
}

} // namespace

std::optional<IsoMoment> IsoMoment::parse(std::string_view text) {
    IsoMoment moment;
    const auto part = [&](int &number, std::size_t digits, int most) {
        number = take_number(text, digits);
        return number >= 0 && number <= most;
    };
    if (!part(moment.year, 4, 9999) || !take(text, '-') || !part(moment.month, 2, 12) || !take(text, '-') ||
        !part(moment.day, 2, 31))
        return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(moment.year),
                                           std::chrono::month(static_cast<unsigned>(moment.month)),
                                           std::chrono::day(static_cast<unsigned>(moment.day)));
    if (!date.ok())
        return std::nullopt;
    if (text.empty())
        return moment;
    if (!take(text, 'T') || !part(moment.hour, 2, 23) || !take(text, ':') || !part(moment.minute, 2, 59) ||
        !take(text, ':') || !part(moment.second, 2, 59))
        return std::nullopt;
    if (take(text, '.')) {
        if (!part(moment.millisecond, 3, 999))
            return std::nullopt;
        int beyond = 0;
        if (text.size() >= 3 && text[0] != '+' && !part(beyond, 3, 999))
            return std::nullopt;
    }
    return text.empty() || text == "Z" || text == "+00:00" ? std::optional(moment) : std::nullopt;
}

std::int64_t IsoMoment::epoch_s() const {
    const std::chrono::sys_days days = std::chrono::year(year) / month / day;
    return std::int64_t{days.time_since_epoch().count()} * 86400 + hour * 3600 + minute * 60 + second;
}

std::int64_t IsoMoment::epoch_ms() const {
    return epoch_s() * 1000 + millisecond;
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

std::string in_date_format(const IsoMoment &moment, std::string_view format) {
    std::string text;
    while (!format.empty()) {
        const Field *field = field_at(format);
        if (field == nullptr)
            text += format[0];
        else
            text += digits_of(moment.*field->number, field->name == "MS" ? 3 : field->name.size());
        format.remove_prefix(field == nullptr ? 1 : field->name.size());
    }
    return text;
}

} // namespace reverse_etl
