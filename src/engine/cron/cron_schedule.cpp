#include "engine/cron/cron_schedule.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

namespace reverse_etl {

namespace {

constexpr int minutes_a_day = 24 * 60;
/// Nobody turns a clock further than that at once.
constexpr int largest_change_of_clocks = 3 * 60;
/// 29 February is a certain day of the week once in 28 years, or in 40 if one of them is 2100.
constexpr std::int64_t horizon = 50LL * 366 * minutes_a_day;
/// pg_cron's buffer.
constexpr std::size_t longest = 999;

constexpr std::string_view month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr std::pair<std::string_view, std::string_view> nicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_alphanumeric(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool is_word(std::string_view text, std::string_view word) {
    return std::ranges::equal(text, word, {}, lower);
}

struct Field {
    const char *name;
    int low, high;
    std::span<const std::string_view> names;
};

class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    char next() const { return rest_.empty() ? '\0' : rest_.front(); }

    bool take(char c) {
        bool taken = next() == c && !rest_.empty();
        if (taken)
            rest_.remove_prefix(1);
        return taken;
    }

    void skip_blanks() {
        while (is_blank(next()))
            rest_.remove_prefix(1);
    }

    std::string_view take_alphanumerics() {
        auto end = std::ranges::find_if_not(rest_, is_alphanumeric);
        std::string_view taken(rest_.begin(), end);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    /// A comma separates ranges; what else there is up to the next blank is passed over.
    std::bitset<60> take_list(const Field &field) {
        std::bitset<60> values;
        do
            take_range(field, values);
        while (take(','));
        while (!rest_.empty() && !is_blank(next()) && next() != '\n')
            rest_.remove_prefix(1);
        skip_blanks();
        return values;
    }

  private:
    [[noreturn]] static void refuse(const Field &field) {
        throw InvalidSchedule(std::string("The ") + field.name + " is not understood");
    }

    int take_number(const Field &field, std::span<const std::string_view> names) {
        std::string_view word = take_alphanumerics();
        auto name = std::ranges::find_if(names, [&](std::string_view name) { return is_word(word, name); });
        if (name != names.end())
            return field.low + static_cast<int>(name - names.begin());
        if (word.empty() || !std::ranges::all_of(word, is_digit))
            refuse(field);
        int number = std::numeric_limits<int>::max() / 2; // stays if there are too many digits
        std::from_chars(word.begin(), word.end(), number);
        return number;
    }

    void take_range(const Field &field, std::bitset<60> &values) {
        int from = field.low, to = field.high, step = 1;
        bool single = false;
        if (!take('*')) {
            from = to = take_number(field, field.names);
            single = !take('-');
            if (!single)
                to = take_number(field, field.names);
        }
        if (next() == '/' && single)
            refuse(field); // a step needs a range
        if (take('/'))
            step = take_number(field, {});
        if (step == 0 || std::min(from, to) < field.low || std::max(from, to) > field.high)
            refuse(field);
        for (int value = from; value <= to; value += step)
            values.set(value);
    }

    std::string_view rest_;
};

/// "1 second", "30 seconds": less than a minute. 0 if it is something else.
int read_interval(std::string_view text) {
    constexpr std::string_view whitespace = " \t\n";
    auto skip = [&](std::size_t from) { return std::min(text.find_first_not_of(whitespace, from), text.size()); };
    int seconds = 0;
    auto [after_number, error] = std::from_chars(text.begin() + skip(0), text.end(), seconds);
    if (error != std::errc())
        return 0;
    text.remove_prefix(skip(after_number - text.begin()));
    std::string_view unit = text.substr(0, text.find_first_of(whitespace));
    if ((!is_word(unit, "second") && !is_word(unit, "seconds")) || skip(unit.size()) != text.size())
        return 0;
    if (seconds < 1 || seconds > 59)
        throw InvalidSchedule("Seconds are from 1 to 59");
    return seconds;
}

int days_in_month(const CronSchedule::LocalTime &time) {
    std::chrono::year_month_day_last last(std::chrono::year(time.year),
                                          std::chrono::month(time.month) / std::chrono::last);
    return static_cast<int>(static_cast<unsigned>(last.day()));
}

std::int64_t minute_of(std::int64_t seconds) {
    return seconds / 60 - (seconds % 60 < 0 ? 1 : 0);
}

} // namespace

CronSchedule CronSchedule::parse(std::string_view text) {
    if (text.size() > longest)
        throw InvalidSchedule("It is longer than 999 bytes");
    CronSchedule schedule;
    schedule.interval_ = read_interval(text);
    if (schedule.interval_ == 0)
        schedule.read_fields(text);
    return schedule;
}

void CronSchedule::read_fields(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
    if (text.starts_with('@')) {
        std::string_view nickname = text.substr(0, text.find_first_of(" \t\n"));
        if (nickname == "@reboot" || nickname == "@restart")
            return; // no clock tells when
        auto found = std::ranges::find(nicknames, nickname, &std::pair<std::string_view, std::string_view>::first);
        if (found == std::end(nicknames))
            throw InvalidSchedule("There is no \"" + std::string(nickname) + "\"");
        text = found->second;
    }

    Reader reader(text);
    minutes_ = reader.take_list({"minute", 0, 59, {}});
    hours_ = reader.take_list({"hour", 0, 23, {}});
    every_day_is_due_ = reader.next() == '*';
    last_day_ = reader.take('$');
    if (!last_day_)
        days_ = reader.take_list({"day of the month", 1, 31, {}});
    else if (!is_blank(reader.next()))
        throw InvalidSchedule("\"$\" stands alone as the day of the month");
    reader.skip_blanks();
    months_ = reader.take_list({"month", 1, 12, month_names});
    every_day_is_due_ |= reader.next() == '*';
    weekdays_ = reader.take_list({"day of the week", 0, 7, weekday_names});
    weekdays_[0] = weekdays_[0] || weekdays_[7]; // both are Sunday
}

bool CronSchedule::falls_on_day(const LocalTime &time) const {
    bool day = days_[time.day] || (last_day_ && time.day == days_in_month(time));
    bool weekday = weekdays_[time.weekday];
    return months_[time.month] && (every_day_is_due_ ? day && weekday : day || weekday);
}

/// How many minutes certainly are not due, this one included; 0 if it is due. It stops short of where a change of
/// clocks may come into play, and then goes by quarters of an hour, which is what clocks are turned by.
int CronSchedule::minutes_to_skip(const LocalTime &time, Direction direction) const {
    bool forward = direction == Direction::forward;
    int passed = time.hour * 60 + time.minute;
    int of_day = forward ? minutes_a_day - passed : passed + 1;
    int of_quarter = forward ? 15 - time.minute % 15 : time.minute % 15 + 1;
    if (!months_[time.month])
        of_day += (forward ? days_in_month(time) - time.day : time.day - 1) * minutes_a_day;
    if (!falls_on_day(time))
        return of_day > largest_change_of_clocks ? of_day - largest_change_of_clocks : of_quarter;
    if (!hours_[time.hour])
        return of_quarter;
    return minutes_[time.minute] ? 0 : 1;
}

std::optional<std::int64_t> CronSchedule::search(std::int64_t minute, const Clock &clock, Direction direction) const {
    if (minutes_.none() || hours_.none())
        return std::nullopt;
    for (std::int64_t searched = 0; searched < horizon;) {
        std::int64_t seconds = (minute + searched * static_cast<int>(direction)) * 60;
        int skip = minutes_to_skip(clock(seconds), direction);
        if (skip == 0)
            return seconds;
        searched += skip;
    }
    return std::nullopt;
}

std::optional<std::int64_t> CronSchedule::next_after(std::int64_t seconds, const Clock &clock) const {
    if (interval_ > 0)
        return seconds + interval_;
    return search(minute_of(seconds) + 1, clock, Direction::forward);
}

std::optional<std::int64_t> CronSchedule::last_before(std::int64_t seconds, const Clock &clock) const {
    if (interval_ > 0)
        return seconds - interval_;
    return search(minute_of(seconds - 1), clock, Direction::backward);
}

} // namespace reverse_etl
