#include "engine/limits/backoff.h"

#include "engine/text/iso_moment.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace reverse_etl {

namespace {

/// No destination means more; it keeps the arithmetic from overflowing.
constexpr double longest_wait_seconds = 366.0 * 24 * 3600;

Milliseconds wait_of(double seconds) {
    return Milliseconds(std::llround(std::clamp(seconds, 0.0, longest_wait_seconds) * 1000));
}

/// The number that the text is, from its first to its last character.
std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

/// libcurl reads all three forms of an HTTP date, whatever the locale.
std::optional<std::time_t> http_date(const std::string &text) {
    const std::time_t time = curl_getdate(text.c_str(), nullptr);
    return time == -1 ? std::nullopt : std::optional(time);
}

/// The time of the answer: the destination's own, since clocks differ.
std::time_t time_of(const Response &response, WallClock::time_point now) {
    const std::string *date = response.header("date");
    return (date ? http_date(*date) : std::nullopt).value_or(std::chrono::system_clock::to_time_t(now));
}

/// The seconds since 1970 that a text tells.
std::optional<double> time_in(ToldTime::Unit unit, const std::string &text) {
    if (unit == ToldTime::Unit::iso8601) {
        const std::optional<Moment> moment = iso_moment(text);
        return moment ? std::optional(std::chrono::duration<double>(moment->time_since_epoch()).count()) : std::nullopt;
    }
    if (unit == ToldTime::Unit::epoch_seconds)
        return number(text);
    const auto date = http_date(text);
    return date ? std::optional(static_cast<double>(*date)) : std::nullopt;
}

} // namespace

Milliseconds backoff(int attempt, Milliseconds base, Milliseconds cap, std::mt19937_64 &random) {
    Milliseconds longest = std::min(base, cap);
    for (int i = 1; i < attempt && longest < cap; ++i)
        longest = longest > cap / 2 ? cap : 2 * longest;
    return Milliseconds(std::uniform_int_distribution<Milliseconds::rep>(0, longest.count())(random));
}

Milliseconds jitter_of(Jitter jitter, Milliseconds asked, Milliseconds pause, std::mt19937_64 &random) {
    if (jitter == Jitter::full)
        return backoff(1, asked, asked, random);
    return jitter == Jitter::little ? pause / 10 : Milliseconds(0);
}

std::optional<Milliseconds> wait_of(const std::string &text, Milliseconds unit) {
    const auto amount = number(text);
    return amount ? std::optional(wait_of(*amount * static_cast<double>(unit.count()) / 1000)) : std::nullopt;
}

std::optional<Milliseconds> wait_of(const Response &response, const ToldTime &told, WallClock::time_point now,
                                    const BodyText &body) {
    if (told.always > 0)
        return std::chrono::seconds(told.always);
    const std::string *header = told.name.empty() ? nullptr : response.header(told.name);
    std::optional<std::string> text = header ? std::optional(*header) : std::nullopt;
    if (told.body && body)
        text = body(*told.body);
    if (!text)
        return std::nullopt;
    if (told.unit == ToldTime::Unit::seconds || told.unit == ToldTime::Unit::milliseconds)
        return wait_of(*text, Milliseconds(told.unit == ToldTime::Unit::milliseconds ? 1 : 1000));
    const std::optional<double> until = time_in(told.unit, *text);
    return until ? std::optional(wait_of(*until - static_cast<double>(time_of(response, now)))) : std::nullopt;
}

std::optional<Milliseconds> retry_after(const Response &response, WallClock::time_point now) {
    const std::string *text = response.header("retry-after");
    if (!text)
        return std::nullopt;
    if (const auto wait = wait_of(*text, std::chrono::seconds(1)))
        return wait;
    const auto until = http_date(*text);
    if (!until)
        return std::nullopt;
    return wait_of(std::difftime(*until, time_of(response, now)));
}

} // namespace reverse_etl
