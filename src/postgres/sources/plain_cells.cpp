#include "postgres/sources/plain_cells.h"

#include <cstdint>
#include <cstring>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// A number of so many digits, which are left behind; -1 where others stand there.
int digits(const char *&at, int count) {
    int number = 0;
    for (int i = 0; i < count; i++, at++) {
        if (!is_digit(*at))
            return -1;
        number = number * 10 + (*at - '0');
    }
    return number;
}

bool passes(const char *&at, char c) {
    if (*at != c)
        return false;
    at++;
    return true;
}

/// Up to 18 digits, so that nothing overflows.
bool read_integer(const char *text, std::int64_t &number) {
    const bool is_negative = *text == '-';
    text += is_negative ? 1 : 0;
    std::int64_t found = 0;
    int count = 0;
    for (; is_digit(*text) && count < 18; text++, count++)
        found = found * 10 + (*text - '0');
    number = is_negative ? -found : found;
    return count > 0 && *text == '\0';
}

/// 2026-11-27, as days since 2000.
bool read_day(const char *&at, std::int32_t &day) {
    const int year = digits(at, 4);
    if (year < 1 || !passes(at, '-'))
        return false;
    const int month = digits(at, 2);
    if (month < 1 || month > 12 || !passes(at, '-'))
        return false;
    const int of_month = digits(at, 2);
    if (of_month < 1 || of_month > day_tab[isleap(year)][month - 1])
        return false;
    day = date2j(year, month, of_month) - POSTGRES_EPOCH_JDATE;
    return true;
}

/// 10:00:00 and up to six digits of a second, in microseconds.
bool read_time(const char *&at, std::int64_t &microseconds) {
    const int hour = digits(at, 2);
    if (hour < 0 || hour > 23 || !passes(at, ':'))
        return false;
    const int minute = digits(at, 2);
    if (minute < 0 || minute > 59 || !passes(at, ':'))
        return false;
    const int second = digits(at, 2);
    if (second < 0 || second > 59)
        return false;
    std::int64_t fraction = 0, unit = USECS_PER_SEC;
    if (passes(at, '.'))
        for (; is_digit(*at) && unit > 1; at++) {
            unit /= 10;
            fraction += unit * (*at - '0');
        }
    microseconds = ((hour * 60LL + minute) * 60 + second) * USECS_PER_SEC + fraction;
    return true;
}

/// +00, or +00:00
bool is_utc(const char *&at) {
    return passes(at, '+') && digits(at, 2) == 0 && (*at != ':' || (passes(at, ':') && digits(at, 2) == 0));
}

bool read_moment(const char *text, bool has_zone, Datum &value) {
    std::int32_t day = 0;
    std::int64_t time = 0;
    if (!read_day(text, day) || !(*text == ' ' || *text == 'T'))
        return false;
    text++;
    if (!read_time(text, time) || (has_zone && !is_utc(text)) || *text != '\0')
        return false;
    value = TimestampGetDatum(day * USECS_PER_DAY + time);
    return true;
}

Datum text_value(const char *text) {
    const std::size_t length = std::strlen(text);
    auto *made = static_cast<struct varlena *>(palloc(length + VARHDRSZ));
    SET_VARSIZE(made, length + VARHDRSZ);
    std::memcpy(VARDATA(made), text, length);
    return PointerGetDatum(made);
}

} // namespace

bool read_plain_cell(Oid type, const char *text, Datum &value) {
    std::int64_t number = 0;
    std::int32_t day = 0;
    switch (type) {
    case TEXTOID:
        value = text_value(text);
        return true;
    case INT8OID:
        if (!read_integer(text, number))
            return false;
        value = Int64GetDatum(number);
        return true;
    case INT4OID:
        if (!read_integer(text, number) || number != static_cast<std::int32_t>(number))
            return false;
        value = Int32GetDatum(static_cast<std::int32_t>(number));
        return true;
    case BOOLOID:
        value = BoolGetDatum(std::strcmp(text, "true") == 0);
        return DatumGetBool(value) || std::strcmp(text, "false") == 0;
    case DATEOID:
        if (!read_day(text, day) || *text != '\0')
            return false;
        value = DateADTGetDatum(day);
        return true;
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return read_moment(text, type == TIMESTAMPTZOID, value);
    default:
        return false;
    }
}

} // namespace reverse_etl
