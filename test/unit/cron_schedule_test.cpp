#include "engine/cron/cron_schedule.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <random>
#include <set>

using namespace reverse_etl;
namespace chrono = std::chrono;
using LocalTime = CronSchedule::LocalTime;

namespace {

LocalTime utc(std::int64_t seconds) {
    chrono::sys_seconds time{chrono::seconds(seconds)};
    auto days = chrono::floor<chrono::days>(time);
    chrono::year_month_day date(days);
    auto minutes = chrono::duration_cast<chrono::minutes>(time - days).count();
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(chrono::weekday(days).c_encoding()),
            static_cast<int>(minutes / 60),
            static_cast<int>(minutes % 60)};
}

std::int64_t at(chrono::sys_days day, int hour = 0, int minute = 0, int second = 0) {
    return chrono::sys_seconds(day).time_since_epoch().count() + hour * 3600 + minute * 60 + second;
}

std::int64_t at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
    return at(chrono::year(year) / chrono::month(month) / chrono::day(day), hour, minute, second);
}

/// Clocks that go forward from midnight to 1 on the last Sunday of March, and back from midnight to 23 on that of
/// October.
LocalTime turned_at_midnight(std::int64_t seconds) {
    chrono::year year(utc(seconds).year);
    bool summer = seconds >= at(year / chrono::March / chrono::Sunday[chrono::last]) &&
                  seconds < at(year / chrono::October / chrono::Sunday[chrono::last], -1);
    return utc(seconds + (summer ? 3600 : 0));
}

std::string shown(std::optional<std::int64_t> seconds) {
    if (!seconds)
        return "never";
    LocalTime time = utc(*seconds);
    char text[64];
    std::snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d", time.year, time.month, time.day, time.hour,
                  time.minute, static_cast<int>((*seconds % 60 + 60) % 60));
    return text;
}

std::string next_run(const char *schedule, std::int64_t after, const CronSchedule::Clock &clock = utc) {
    return shown(CronSchedule::parse(schedule).next_after(after, clock));
}

std::string last_run(const char *schedule, std::int64_t before, const CronSchedule::Clock &clock = utc) {
    return shown(CronSchedule::parse(schedule).last_before(before, clock));
}

std::string refusal(std::string_view schedule) {
    try {
        CronSchedule::parse(schedule);
    } catch (const InvalidSchedule &fault) {
        return fault.what();
    }
    return "";
}

const std::int64_t saturday = at(2026, 1, 31, 12, 34, 56);

} // namespace

BOOST_AUTO_TEST_CASE(fields) {
    BOOST_TEST(next_run("* * * * *", saturday) == "2026-01-31 12:35:00");
    BOOST_TEST(last_run("* * * * *", saturday) == "2026-01-31 12:34:00");
    BOOST_TEST(next_run("*/15 * * * *", saturday) == "2026-01-31 12:45:00");
    BOOST_TEST(last_run("*/15 * * * *", saturday) == "2026-01-31 12:30:00");
    BOOST_TEST(next_run("5-40/20,59 * * * *", saturday) == "2026-01-31 12:59:00");
    BOOST_TEST(next_run("0 3 * * *", saturday) == "2026-02-01 03:00:00");
    BOOST_TEST(last_run("0 3 * * *", saturday) == "2026-01-31 03:00:00");
    BOOST_TEST(next_run("\t30 8-18 * *  MON-fri", saturday) == "2026-02-02 08:30:00");
    BOOST_TEST(last_run("30 8-18 * * mon-fri ", saturday) == "2026-01-30 18:30:00");
    BOOST_TEST(next_run("0 0 1 jan,Jul *", saturday) == "2026-07-01 00:00:00");
    BOOST_TEST(next_run("0 0 * * sun", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(next_run("0 0 * * 7", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(next_run("0 0 * * 5-7", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(last_run("0 0 31 * *", at(2026, 1, 1)) == "2025-12-31 00:00:00");
}

BOOST_AUTO_TEST_CASE(the_time_itself_does_not_count) {
    std::int64_t due = at(2026, 1, 31, 12, 45);
    BOOST_TEST(next_run("*/15 * * * *", due) == "2026-01-31 13:00:00");
    BOOST_TEST(last_run("*/15 * * * *", due) == "2026-01-31 12:30:00");
    BOOST_TEST(next_run("*/15 * * * *", due - 1) == "2026-01-31 12:45:00");
    BOOST_TEST(last_run("*/15 * * * *", due + 1) == "2026-01-31 12:45:00");
    BOOST_TEST(next_run("* * * * *", -1) == "1970-01-01 00:00:00");
    BOOST_TEST(last_run("* * * * *", -1) == "1969-12-31 23:59:00");
}

BOOST_AUTO_TEST_CASE(one_kind_of_day_is_enough_unless_the_other_is_every_day) {
    BOOST_TEST(next_run("0 0 13 * fri", saturday) == "2026-02-06 00:00:00");
    BOOST_TEST(next_run("0 0 13 * *", saturday) == "2026-02-13 00:00:00");
    BOOST_TEST(next_run("0 0 * * fri", saturday) == "2026-02-06 00:00:00");
    // A star with a step counts as every day: so both must hold.
    BOOST_TEST(next_run("0 0 */2 * mon", saturday) == "2026-02-09 00:00:00");
    BOOST_TEST(next_run("0 0 13 * */5", saturday) == "2026-02-13 00:00:00");
    BOOST_TEST(next_run("0 0 29 2 */7", saturday) == "2032-02-29 00:00:00");
    BOOST_TEST(next_run("0 0 29 2 */7", at(2072, 3, 1)) == "2088-02-29 00:00:00");
    BOOST_TEST(next_run("0 0 29 2 */7", at(2088, 3, 1)) == "2128-02-29 00:00:00");
}

BOOST_AUTO_TEST_CASE(the_last_day_of_the_month) {
    BOOST_TEST(next_run("0 0 $ * *", saturday) == "2026-02-28 00:00:00");
    BOOST_TEST(next_run("0 0 $ 2 *", at(2027, 12, 1)) == "2028-02-29 00:00:00");
    BOOST_TEST(last_run("0 0 $ * *", saturday) == "2026-01-31 00:00:00");
    BOOST_TEST(next_run("0 0 $ * mon", saturday) == "2026-02-02 00:00:00");
    BOOST_TEST(refusal("0 0 $,1 * *") == "\"$\" stands alone as the day of the month");
}

BOOST_AUTO_TEST_CASE(nicknames) {
    BOOST_TEST(next_run("@hourly", saturday) == "2026-01-31 13:00:00");
    BOOST_TEST(next_run("@daily", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(next_run(" @midnight", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(next_run("@weekly", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(last_run("@weekly", saturday) == "2026-01-25 00:00:00");
    BOOST_TEST(next_run("@monthly", saturday) == "2026-02-01 00:00:00");
    BOOST_TEST(next_run("@yearly", saturday) == "2027-01-01 00:00:00");
    BOOST_TEST(next_run("@annually", saturday) == "2027-01-01 00:00:00");
    BOOST_TEST(next_run("@reboot", saturday) == "never");
    BOOST_TEST(refusal("@fortnightly") == "There is no \"@fortnightly\"");
}

BOOST_AUTO_TEST_CASE(seconds) {
    BOOST_TEST(next_run("30 seconds", saturday) == "2026-01-31 12:35:26");
    BOOST_TEST(last_run("30 Seconds ", saturday) == "2026-01-31 12:34:26");
    BOOST_TEST(next_run("1 second", saturday) == "2026-01-31 12:34:57");
    BOOST_TEST(refusal("0 seconds") == "Seconds are from 1 to 59");
    BOOST_TEST(refusal("60 seconds") == "Seconds are from 1 to 59");
    BOOST_TEST(next_run(" 59second\n", saturday) == "2026-01-31 12:35:55");
    BOOST_TEST(refusal("30 seconds later") != "");
    BOOST_TEST(refusal("-5 seconds") == "Seconds are from 1 to 59");
    BOOST_TEST(refusal("30 minutes") == "The hour is not understood");
}

BOOST_AUTO_TEST_CASE(what_never_comes) {
    BOOST_TEST(next_run("0 0 30 2 *", saturday) == "never");
    BOOST_TEST(last_run("0 0 31 4,6,9,11 *", saturday) == "never");
    // pg_cron takes a range that runs backwards, and finds nothing in it.
    BOOST_TEST(next_run("40-5 * * * *", saturday) == "never");
    BOOST_TEST(next_run("* * * * fri-mon", saturday) == "never");
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    BOOST_TEST(refusal("") == "The minute is not understood");
    BOOST_TEST(refusal("60 * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("99999999999999999999 * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("1/5 * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("*/0 * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("-5 * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("1, * * * *") == "The minute is not understood");
    BOOST_TEST(refusal("* 24 * * *") == "The hour is not understood");
    BOOST_TEST(refusal("* * 0 * *") == "The day of the month is not understood");
    BOOST_TEST(refusal("* * * January *") == "The month is not understood");
    BOOST_TEST(refusal("* * * 13 *") == "The month is not understood");
    BOOST_TEST(refusal("* * * * 8") == "The day of the week is not understood");
    BOOST_TEST(refusal("* * * *") == "The day of the week is not understood");
    BOOST_TEST(refusal(std::string(1000, ' ') + "* * * * *") == "It is longer than 999 bytes");
}

BOOST_AUTO_TEST_CASE(what_is_passed_over) {
    BOOST_TEST(next_run("0;x 4 * * * and more", saturday) == "2026-02-01 04:00:00");
    BOOST_TEST(next_run("*/90 * * * *", saturday) == "2026-01-31 13:00:00");
}

BOOST_AUTO_TEST_CASE(clocks_that_are_turned) {
    // Midnight is left out on 29 March 2026, and 23 o'clock comes twice on 24 October.
    BOOST_TEST(next_run("30 0 * * *", at(2026, 3, 28, 12), turned_at_midnight) == "2026-03-29 23:30:00");
    BOOST_TEST(last_run("30 0 * * *", at(2026, 3, 29, 12), turned_at_midnight) == "2026-03-28 00:30:00");
    BOOST_TEST(next_run("30 1 * * sun", at(2026, 3, 28, 12), turned_at_midnight) == "2026-03-29 00:30:00");
    BOOST_TEST(next_run("30 23 * * *", at(2026, 10, 24, 12), turned_at_midnight) == "2026-10-24 22:30:00");
    BOOST_TEST(next_run("30 23 * * *", at(2026, 10, 24, 22, 30), turned_at_midnight) == "2026-10-24 23:30:00");
    BOOST_TEST(last_run("30 23 * * *", at(2026, 10, 25, 12), turned_at_midnight) == "2026-10-24 23:30:00");
}

namespace {

/// A field with some of its values.
struct RandomField {
    std::set<int> values;
    std::string text;

    RandomField(std::mt19937 &random, int low, int high) {
        for (auto count = random() % 4; count > 0; count--)
            values.insert(low + static_cast<int>(random() % (high - low + 1)));
        for (int value : values)
            text += (text.empty() ? "" : ",") + std::to_string(value);
        if (values.empty()) {
            text = "*";
            for (int value = low; value <= high; value++)
                values.insert(value);
        }
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(as_when_every_minute_is_asked) {
    std::mt19937 random(4);
    for (int i = 0; i < 400; i++) {
        RandomField minutes(random, 0, 59), hours(random, 0, 23), days(random, 1, 31), months(random, 1, 12),
            weekdays(random, 0, 6);
        std::string text = minutes.text + " " + hours.text + " " + days.text + " " + months.text + " " + weekdays.text;
        CronSchedule::Clock clock = i % 2 == 0 ? utc : turned_at_midnight;
        bool either = days.text != "*" && weekdays.text != "*";
        auto is_due = [&](std::int64_t time) {
            LocalTime local = clock(time);
            bool day = days.values.contains(local.day), weekday = weekdays.values.contains(local.weekday);
            return minutes.values.contains(local.minute) && hours.values.contains(local.hour) &&
                   months.values.contains(local.month) && (either ? day || weekday : day && weekday);
        };

        CronSchedule schedule = CronSchedule::parse(text);
        std::int64_t from = at(2026, 1, 1) + static_cast<std::int64_t>(random() % (366 * 24 * 3600));
        constexpr std::int64_t reach = 60 * 24 * 3600;
        std::int64_t next = from - from % 60 + 60, last = from - 1 - (from - 1) % 60;
        while (next < from + reach && !is_due(next))
            next += 60;
        while (last > from - reach && !is_due(last))
            last -= 60;
        std::optional<std::int64_t> found = schedule.next_after(from, clock);
        BOOST_TEST(shown(found && *found < from + reach ? found : std::nullopt) ==
                       shown(next < from + reach ? std::optional(next) : std::nullopt),
                   text << " after " << shown(from));
        found = schedule.last_before(from, clock);
        BOOST_TEST(shown(found && *found > from - reach ? found : std::nullopt) ==
                       shown(last > from - reach ? std::optional(last) : std::nullopt),
                   text << " before " << shown(from));
    }
}
