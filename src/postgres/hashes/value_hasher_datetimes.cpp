#include "postgres/hashes/value_hashers.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {
namespace {

// As they are stored: days and microseconds. A time zone has a part only in how they are printed.

void add_date(Datum value, HashStream &stream) {
    add_kind(HashKind::date, stream);
    stream.add_number(DatumGetDateADT(value));
}

template <HashKind kind>
void add_microseconds(Datum value, HashStream &stream) {
    add_kind(kind, stream);
    stream.add_number(DatumGetInt64(value));
}

void add_timetz(Datum value, HashStream &stream) {
    const TimeTzADT *time = DatumGetTimeTzADTP(value);
    add_kind(HashKind::timetz, stream);
    stream.add_number(time->time);
    stream.add_number(time->zone);
}

/// 1 month is not 30 days.
void add_interval(Datum value, HashStream &stream) {
    const Interval *interval = DatumGetIntervalP(value);
    add_kind(HashKind::interval, stream);
    stream.add_number(interval->time);
    stream.add_number(interval->day);
    stream.add_number(interval->month);
}

} // namespace

ValueHasher *datetime_hasher(Oid type) {
    switch (type) {
    case DATEOID:
        return hasher_of<add_date>();
    case TIMEOID:
        return hasher_of<add_microseconds<HashKind::time>>();
    case TIMETZOID:
        return hasher_of<add_timetz>();
    case TIMESTAMPOID:
        return hasher_of<add_microseconds<HashKind::timestamp>>();
    case TIMESTAMPTZOID:
        return hasher_of<add_microseconds<HashKind::timestamptz>>();
    case INTERVALOID:
        return hasher_of<add_interval>();
    default:
        return nullptr;
    }
}

} // namespace reverse_etl
