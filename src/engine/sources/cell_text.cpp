#include "engine/sources/cell_text.h"

#include "engine/text/base64.h"
#include "engine/text/hex.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace reverse_etl {

namespace {

constexpr std::int64_t seconds_a_day = 86400;
/// Beyond what Postgres has dates for, by far.
constexpr std::int64_t most_days = 3'000'000'000;

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// A count of seconds, whole ones downwards, and the digits of what is left of one.
struct Seconds {
    std::int64_t whole = 0;
    std::string fraction;
};

bool is_digits(std::string_view text) {
    return text.find_first_not_of("0123456789") == text.npos;
}

std::optional<Seconds> seconds_of(std::string_view text) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view before = text.substr(0, point), behind = text.substr(std::min(point + 1, text.size()));
    const bool is_negative = before.starts_with('-');
    const std::optional<std::int64_t> whole = integer(before);
    if (!whole || *whole < -most_days * seconds_a_day || *whole > most_days * seconds_a_day || !is_digits(behind))
        return std::nullopt;
    Seconds seconds{*whole, std::string(behind)};
    const std::size_t last = seconds.fraction.find_last_not_of('0');
    seconds.fraction.erase(last == std::string::npos ? 0 : last + 1);
    if (!is_negative || seconds.fraction.empty())
        return seconds;
    // -1.25 is 0.75 after -2.
    seconds.whole--;
    for (char &digit : seconds.fraction)
        digit = static_cast<char>('0' + '9' - digit);
    seconds.fraction.back()++; // it was no zero, so this is no ten
    return seconds;
}

/// With zeros before it to so many digits. The number is not negative.
void append_number(std::string &out, std::int64_t number, int digits) {
    char text[24];
    char *begin = text + sizeof(text);
    for (; number > 0 || digits > 0; number /= 10, digits--)
        *--begin = static_cast<char>('0' + number % 10);
    out.append(begin, text + sizeof(text));
}

/// The date of a day since 1970, by the Gregorian calendar in both directions. Returns whether it is before the year 1.
/// http://howardhinnant.github.io/date_algorithms.html, civil_from_days
bool append_date(std::string &out, std::int64_t days) {
    const std::int64_t since = days + 719468, era = (since >= 0 ? since : since - 146096) / 146097;
    const std::int64_t of_era = since - era * 146097;
    const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * day_of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    append_number(out, year > 0 ? year : 1 - year, 4);
    out += '-';
    append_number(out, month, 2);
    out += '-';
    append_number(out, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
    return year <= 0;
}

void append_time(std::string &out, std::int64_t second_of_day, const std::string &fraction) {
    append_number(out, second_of_day / 3600, 2);
    out += ':';
    append_number(out, second_of_day / 60 % 60, 2);
    out += ':';
    append_number(out, second_of_day % 60, 2);
    if (!fraction.empty())
        out += "." + fraction;
}

void append_moment(std::string &out, const Seconds &seconds, std::string_view zone) {
    std::int64_t days = seconds.whole / seconds_a_day, second = seconds.whole % seconds_a_day;
    if (second < 0) {
        second += seconds_a_day;
        days--;
    }
    const bool is_bc = append_date(out, days);
    out += ' ';
    append_time(out, second, seconds.fraction);
    out += zone;
    out += is_bc ? " BC" : "";
}

bool append_moment_at(std::string &out, std::string_view value) {
    const std::size_t blank = value.find(' ');
    std::optional<Seconds> seconds = seconds_of(value.substr(0, blank));
    const auto minutes = blank == value.npos ? std::nullopt : integer(value.substr(blank + 1));
    if (!seconds || !minutes || *minutes < 0 || *minutes > 2880)
        return false;
    const std::int64_t offset = *minutes - 1440, distance = offset < 0 ? -offset : offset;
    seconds->whole += offset * 60;
    std::string zone = offset < 0 ? "-" : "+";
    append_number(zone, distance / 60, 2);
    zone += ':';
    append_number(zone, distance % 60, 2);
    append_moment(out, *seconds, zone);
    return true;
}

bool append_micros(std::string &out, std::string_view value) {
    const std::optional<std::int64_t> micros = integer(value);
    if (!micros)
        return false;
    std::int64_t whole = *micros / 1'000'000, rest = *micros % 1'000'000;
    if (rest < 0) {
        rest += 1'000'000;
        whole--;
    }
    std::string fraction;
    if (rest != 0)
        append_number(fraction, rest, 6);
    append_moment(out, {whole, fraction}, "+00");
    return true;
}

/// ISO 8601 with a sign before a year that has not four digits, or is none of our era: its year 0 is 1 BC.
bool append_iso(std::string &out, std::string_view value) {
    const bool is_negative = value.starts_with('-');
    if (is_negative || value.starts_with('+'))
        value.remove_prefix(1);
    const std::size_t dash = std::min(value.find('-'), value.size());
    const std::optional<std::int64_t> year = integer(value.substr(0, dash));
    if (!year || dash < 4 || dash == value.size() || *year > most_days)
        return false;
    const bool is_bc = is_negative || *year == 0;
    append_number(out, is_bc ? *year + 1 : *year, 4);
    out += value.substr(dash);
    out += is_bc ? " BC" : "";
    return true;
}

bool append_bytes(std::string &out, std::string_view value, bool is_hex) {
    if (is_hex) {
        out += "\\x";
        out += value;
        return true;
    }
    const std::optional<std::string> bytes = from_base64(value);
    if (!bytes)
        return false;
    out += "\\x";
    for (const char byte : *bytes)
        append_hex(out, static_cast<unsigned char>(byte));
    return true;
}

bool append_in_form(std::string &out, CellForm form, std::string_view value) {
    switch (form) {
    case CellForm::text:
    case CellForm::json:
        return false;
    case CellForm::days: {
        const std::optional<std::int64_t> days = integer(value);
        if (!days || *days < -most_days || *days > most_days)
            return false;
        if (append_date(out, *days))
            out += " BC";
        return true;
    }
    case CellForm::seconds:
    case CellForm::moment:
        if (const std::optional<Seconds> seconds = seconds_of(value)) {
            append_moment(out, *seconds, form == CellForm::moment ? "+00" : "");
            return true;
        }
        return false;
    case CellForm::moment_at:
        return append_moment_at(out, value);
    case CellForm::micros:
        return append_micros(out, value);
    case CellForm::day_second:
        if (const std::optional<Seconds> seconds = seconds_of(value);
            seconds && seconds->whole >= 0 && seconds->whole <= seconds_a_day) {
            append_time(out, seconds->whole, seconds->fraction);
            return true;
        }
        return false;
    case CellForm::iso:
        return append_iso(out, value);
    case CellForm::hex:
    case CellForm::base64:
        return append_bytes(out, value, form == CellForm::hex);
    }
    return false;
}

} // namespace

void append_cell(std::string &out, CellForm form, std::string_view value) {
    if (append_in_form(out, form, value))
        return;
    for (std::size_t zero; (zero = value.find('\0')) != value.npos; value.remove_prefix(zero + 1)) {
        out += value.substr(0, zero);
        out += "\xef\xbf\xbd";
    }
    out += value;
}

} // namespace reverse_etl
