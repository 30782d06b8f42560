#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Why a text is not a schedule: a sentence without its full stop.
class InvalidSchedule : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// When something is to run, as pg_cron reads it: five fields ("*/15 8-18 * * mon-fri"; "$" is the last day of the
/// month), "@hourly" and its like, or "30 seconds". It takes what any version of pg_cron takes, also where that is
/// generous.
class CronSchedule {
  public:
    /// A minute as clocks in the schedule's time zone show it: month and day from 1, weekday from Sunday, which is 0.
    struct LocalTime {
        int year, month, day, weekday, hour, minute;
    };
    /// What those clocks show, so many seconds after 1970 began in UTC.
    using Clock = std::function<LocalTime(std::int64_t)>;

    /// Throws InvalidSchedule.
    static CronSchedule parse(std::string_view text);

    /// The first time after that one, and the last one before it, in seconds since 1970; nothing if there is none
    /// within fifty years. "30 seconds" are counted from the last run, so here from that time.
    std::optional<std::int64_t> next_after(std::int64_t seconds, const Clock &clock) const;
    std::optional<std::int64_t> last_before(std::int64_t seconds, const Clock &clock) const;

  private:
    enum class Direction { forward = 1, backward = -1 };

    void read_fields(std::string_view text);
    bool falls_on_day(const LocalTime &time) const;
    int minutes_to_skip(const LocalTime &time, Direction direction) const;
    std::optional<std::int64_t> search(std::int64_t minute, const Clock &clock, Direction direction) const;

    int interval_ = 0; ///< in seconds; if it is set, nothing else is
    std::bitset<60> minutes_, hours_, days_, months_, weekdays_;
    bool last_day_ = false;        ///< the month's last day is one of the days
    bool every_day_is_due_ = true; ///< ...of one of the two kinds: so the other one decides
};

} // namespace reverse_etl
