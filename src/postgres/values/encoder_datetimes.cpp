/// Dates and times as ISO 8601, whatever DateStyle, IntervalStyle and TimeZone say: the same value is the same text
/// in every session. A moment (timestamptz) is written in UTC, with the offset +00:00.

#include <chrono>

#include "postgres/values/writers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {
namespace {

constexpr int64 micros_per_second = 1'000'000;
constexpr int64 micros_per_day = 86'400 * micros_per_second;
constexpr int32 days_from_1970_to_2000 = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

/// Days of Postgres (since 2000) that ISO 8601 can write with four digits of the year, from 0001-01-01 on.
constexpr int32 day_of(int year, unsigned month, unsigned day) {
    std::chrono::sys_days days = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
    return days.time_since_epoch().count() - days_from_1970_to_2000;
}
constexpr int32 first_day = day_of(1, 1, 1);
constexpr int32 last_day = day_of(9999, 12, 31);

char *two_digits(char *to, unsigned number) {
    *to++ = static_cast<char>('0' + number / 10);
    *to++ = static_cast<char>('0' + number % 10);
    return to;
}

char *fixed_digits(char *to, unsigned number, int count) {
    for (int i = count - 1; i >= 0; i--, number /= 10)
        to[i] = static_cast<char>('0' + number % 10);
    return to + count;
}

char *iso_date(char *to, int64 day) {
    if (day < first_day || day > last_day)
        throw ValueRefused("year is outside 1 to 9999, the range of ISO 8601");
    std::chrono::year_month_day date(std::chrono::sys_days(std::chrono::days(day + days_from_1970_to_2000)));
    unsigned year = static_cast<unsigned>(static_cast<int>(date.year()));
    to = two_digits(to, year / 100);
    to = two_digits(to, year % 100);
    *to++ = '-';
    to = two_digits(to, static_cast<unsigned>(date.month()));
    *to++ = '-';
    return two_digits(to, static_cast<unsigned>(date.day()));
}

/// Fractional digits only where they say something: none, milliseconds or microseconds.
char *iso_time(char *to, int64 micros_of_day) {
    unsigned seconds = static_cast<unsigned>(micros_of_day / micros_per_second);
    unsigned micros = static_cast<unsigned>(micros_of_day % micros_per_second);
    to = two_digits(to, seconds / 3600);
    *to++ = ':';
    to = two_digits(to, seconds / 60 % 60);
    *to++ = ':';
    to = two_digits(to, seconds % 60);
    if (micros == 0)
        return to;
    *to++ = '.';
    return micros % 1000 == 0 ? fixed_digits(to, micros / 1000, 3) : fixed_digits(to, micros, 6);
}

/// Postgres counts zones in seconds west of Greenwich, ISO 8601 east.
char *iso_offset(char *to, int32 seconds_west) {
    *to++ = seconds_west > 0 ? '-' : '+';
    unsigned seconds = static_cast<unsigned>(std::abs(seconds_west));
    to = two_digits(to, seconds / 3600);
    *to++ = ':';
    to = two_digits(to, seconds / 60 % 60);
    if (seconds % 60 == 0)
        return to;
    *to++ = ':';
    return two_digits(to, seconds % 60);
}

DateADT finite_date(Datum value) {
    DateADT date = DatumGetDateADT(value);
    if (DATE_NOT_FINITE(date))
        throw ValueRefused("date is infinite, which only Postgres can express");
    return date;
}

/// Of timestamp and timestamptz, which are stored alike.
Timestamp finite_timestamp(Datum value) {
    Timestamp timestamp = DatumGetTimestamp(value);
    if (TIMESTAMP_NOT_FINITE(timestamp))
        throw ValueRefused("timestamp is infinite, which only Postgres can express");
    return timestamp;
}

constexpr int64 floor_divide(int64 dividend, int64 divisor) {
    return dividend / divisor - (dividend % divisor < 0 ? 1 : 0);
}

// Each type's ISO 8601 text goes to a buffer on the stack and from there in one piece to the batch.

constexpr size_t max_iso_length = 40;

char *iso(char *to, Timestamp timestamp) {
    int64 day = floor_divide(timestamp, micros_per_day);
    to = iso_date(to, day);
    *to++ = 'T';
    return iso_time(to, timestamp - day * micros_per_day);
}

char *date_iso(char *to, Datum value) {
    return iso_date(to, finite_date(value));
}

char *timestamp_iso(char *to, Datum value) {
    return iso(to, finite_timestamp(value));
}

char *timestamptz_iso(char *to, Datum value) {
    return iso_offset(iso(to, finite_timestamp(value)), 0);
}

char *time_iso(char *to, Datum value) {
    return iso_time(to, DatumGetTimeADT(value));
}

char *timetz_iso(char *to, Datum value) {
    const TimeTzADT *time = DatumGetTimeTzADTP(value);
    return iso_offset(iso_time(to, time->time), time->zone);
}

using IsoText = char *(*)(char *, Datum);

template <IsoText iso_text>
void write_iso(const EncodedType &, Datum value, std::string &out) {
    char text[max_iso_length];
    out.append(text, iso_text(text, value));
}

template <IsoText iso_text>
void write_iso_json(const EncodedType &, Datum value, std::string &out) {
    char text[max_iso_length + 2];
    text[0] = '"';
    char *end = iso_text(text + 1, value);
    *end++ = '"';
    out.append(text, end);
}

void write_interval(const EncodedType &, Datum value, std::string &out) {
    Interval *interval = DatumGetIntervalP(value);
#ifdef INTERVAL_NOT_FINITE // since Postgres 17
    if (INTERVAL_NOT_FINITE(interval))
        throw ValueRefused("interval is infinite, which only Postgres can express");
#endif
    struct pg_itm parts;
    char text[MAXDATELEN + 1];
    interval2itm(*interval, &parts);
    EncodeInterval(&parts, INTSTYLE_ISO_8601, text);
    out += text;
}

void write_interval_json(const EncodedType &type, Datum value, std::string &out) {
    out += '"';
    write_interval(type, value, out);
    out += '"';
}

// Time since 1970, rounded down. A timestamp without time zone counts as UTC.

template <int64 units_per_second>
void write_date_epoch(const EncodedType &, Datum value, std::string &out) {
    int64 day = int64{finite_date(value)} + days_from_1970_to_2000;
    append_integer(day * 86'400 * units_per_second, out);
}

template <int64 units_per_second>
void write_timestamp_epoch(const EncodedType &, Datum value, std::string &out) {
    int64 units = floor_divide(finite_timestamp(value), micros_per_second / units_per_second);
    append_integer(units + int64{days_from_1970_to_2000} * 86'400 * units_per_second, out);
}

template <int64 units_per_second>
ValueWriter epoch_writer(Oid type) {
    switch (type) {
    case DATEOID:
        return write_date_epoch<units_per_second>;
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return write_timestamp_epoch<units_per_second>;
    default:
        return nullptr;
    }
}

} // namespace

ValueWriters datetime_writers(Oid type) {
    switch (type) {
    case DATEOID:
        return {write_iso_json<date_iso>, write_iso<date_iso>};
    case TIMESTAMPOID:
        return {write_iso_json<timestamp_iso>, write_iso<timestamp_iso>};
    case TIMESTAMPTZOID:
        return {write_iso_json<timestamptz_iso>, write_iso<timestamptz_iso>};
    case TIMEOID:
        return {write_iso_json<time_iso>, write_iso<time_iso>};
    case TIMETZOID:
        return {write_iso_json<timetz_iso>, write_iso<timetz_iso>};
    case INTERVALOID:
        return {write_interval_json, write_interval};
    default:
        return {};
    }
}

ValueWriter epoch_s_writer(Oid type) {
    return epoch_writer<1>(type);
}

ValueWriter epoch_ms_writer(Oid type) {
    return epoch_writer<1000>(type);
}

} // namespace reverse_etl
