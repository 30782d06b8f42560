#include "engine/cron/cron_schedule.h"
#include "postgres/border/border.h"
#include "postgres/border/sql_function.h"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

constexpr std::int64_t epochs_apart = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;

/// pg_cron's time zone. Without its setting, which came with version 1.5, schedules are in GMT.
pg_tz *time_zone() {
    const char *name = pg_call([] { return GetConfigOption("cron.timezone", true, false); });
    if (name == nullptr || name[0] == '\0')
        name = "GMT";
    pg_tz *zone = pg_call([&] { return pg_tzset(name); });
    if (zone == nullptr)
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, std::string("time zone \"") + name + "\" is not known",
                    "It is the value of cron.timezone.");
    return zone;
}

CronSchedule::Clock clock_of(pg_tz *zone) {
    return [zone](std::int64_t seconds) {
        pg_time_t time = seconds;
        const pg_tm *local = pg_localtime(&time, zone);
        if (local == nullptr)
            throw Error(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range");
        return CronSchedule::LocalTime{local->tm_year + 1900, local->tm_mon + 1, local->tm_mday,
                                       local->tm_wday,        local->tm_hour,    local->tm_min};
    };
}

CronSchedule parse(const std::string &text) {
    try {
        return CronSchedule::parse(text);
    } catch (const InvalidSchedule &fault) {
        throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "invalid schedule: \"" + text + "\"",
                    std::string(fault.what()) + ".",
                    "A schedule has a minute, an hour, a day of the month, a month and a day of the week, as in "
                    "\"*/15 8-18 * * mon-fri\"; or it is \"30 seconds\", \"@hourly\", \"@daily\", \"@weekly\", "
                    "\"@monthly\" or \"@yearly\".");
    }
}

using Search = std::optional<std::int64_t> (CronSchedule::*)(std::int64_t, const CronSchedule::Clock &) const;

/// How late a run may be before it is overdue, in seconds.
constexpr std::int64_t grace = 60;

/// Seconds since 1970, as Postgres has a time.
std::optional<TimestampTz> timestamp_of(std::optional<std::int64_t> seconds) {
    if (!seconds || !IS_VALID_TIMESTAMP((*seconds - epochs_apart) * USECS_PER_SEC))
        return std::nullopt;
    return (*seconds - epochs_apart) * USECS_PER_SEC;
}

/// The arguments are the schedule and a time, which the caller has rounded to whole seconds.
Datum find_run(FunctionCallInfo fcinfo, std::int64_t from, Search search) {
    CronSchedule schedule = parse(text_argument(fcinfo, 0));
    std::optional<TimestampTz> run;
    if (!TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)))
        run = timestamp_of((schedule.*search)(from + epochs_apart, clock_of(time_zone())));
    fcinfo->isnull = !run;
    return TimestampTzGetDatum(run.value_or(0));
}

std::int64_t floor_seconds(TimestampTz time) {
    return time / USECS_PER_SEC - (time % USECS_PER_SEC < 0 ? 1 : 0);
}

} // namespace

/// reverse_etl.next_run_after(schedule text, after timestamptz): when pg_cron runs a job of that schedule
SQL_FUNCTION(reverse_etl_next_run_after) {
    return guard([&] { return find_run(fcinfo, floor_seconds(PG_GETARG_TIMESTAMPTZ(1)), &CronSchedule::next_after); });
}

/// reverse_etl.last_run_before(schedule text, before timestamptz)
SQL_FUNCTION(reverse_etl_last_run_before) {
    return guard(
        [&] { return find_run(fcinfo, floor_seconds(PG_GETARG_TIMESTAMPTZ(1) - 1) + 1, &CronSchedule::last_before); });
}

/// reverse_etl_internal.run_times(schedule text, OUT next_run timestamptz, OUT last_due timestamptz): nothing for a
/// schedule that is none
SQL_FUNCTION(reverse_etl_run_times) {
    return guard([&] {
        TimestampTz now = GetCurrentTransactionStartTimestamp();
        std::optional<TimestampTz> next, due;
        try {
            CronSchedule schedule = parse(text_argument(fcinfo, 0));
            CronSchedule::Clock clock = clock_of(time_zone());
            next = timestamp_of(schedule.next_after(floor_seconds(now) + epochs_apart, clock));
            due = timestamp_of(schedule.last_before(floor_seconds(now) - grace + epochs_apart, clock));
        } catch (const Error &) {
            // It is shown as a sync that is never due.
        }
        return pg_call([&] {
            TupleDesc descriptor;
            get_call_result_type(fcinfo, nullptr, &descriptor);
            Datum values[] = {TimestampTzGetDatum(next.value_or(0)), TimestampTzGetDatum(due.value_or(0))};
            bool nulls[] = {!next, !due};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
        });
    });
}

} // namespace reverse_etl
