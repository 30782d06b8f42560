#include "postgres/border/time_span.h"

#include "postgres/border/border.h"

#include <string>

extern "C" {
#include "fmgr.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(reverse_etl_time_span);
#pragma GCC visibility pop
}

namespace reverse_etl {

namespace {

// As interval_in() does it, which raises an error.
bool read_interval(const char *text, Interval &span) {
    char words[256];
    char *fields[MAXDATEFIELDS];
    int kinds[MAXDATEFIELDS];
    int count = 0, type = DTK_DELTA;
    pg_itm_in parts{};
    std::string iso = text;
    int fault = ParseDateTime(text, words, sizeof(words), fields, kinds, MAXDATEFIELDS, &count);
    if (fault == 0)
        fault = DecodeInterval(fields, kinds, count, INTERVAL_FULL_RANGE, &type, &parts);
    if (fault == DTERR_BAD_FORMAT)
        fault = DecodeISO8601Interval(iso.data(), &type, &parts);
    return fault == 0 && type == DTK_DELTA && itmin2interval(&parts, &span) == 0;
}

} // namespace

std::optional<Interval> time_span(const char *text) {
    Interval span;
    if (!read_interval(text, span))
        return std::nullopt;
    long double days = static_cast<long double>(span.month) * DAYS_PER_MONTH + span.day +
                       static_cast<long double>(span.time) / USECS_PER_DAY;
    return days > 0 ? std::optional(span) : std::nullopt;
}

} // namespace reverse_etl

using namespace reverse_etl;

/// reverse_etl_internal.time_span(span text) returns interval
Datum reverse_etl_time_span(PG_FUNCTION_ARGS) {
    return guard([&] {
        std::string text = text_argument(fcinfo, 0);
        std::optional<Interval> span = time_span(text.c_str());
        fcinfo->isnull = !span;
        if (!span)
            return static_cast<Datum>(0);
        Interval value = *span;
        return pg_call([&] {
            auto *result = static_cast<Interval *>(palloc(sizeof(Interval)));
            *result = value;
            return IntervalPGetDatum(result);
        });
    });
}
