#include "postgres/background/history.h"

#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"

#include <iterator>

namespace reverse_etl {

namespace {

constexpr std::chrono::hours between_rounds{1};
constexpr std::chrono::milliseconds between_steps{50};

/// What purge_step() knows; the rows of a run go before the run.
constexpr const char *kinds[] = {"invalid_rows", "runs", "alerts", "audit_log", "rejected_rows"};

} // namespace

Clock::time_point History::purge(Clock::time_point now) {
    if (now < next_)
        return next_;
    const char *kind = kinds[kind_];
    bool ends = true;
    std::optional<Error> failure = attempt([&] {
        pg_call([&] {
            sql::execute("SELECT reverse_etl_internal.purge_step($1, $2)", {sql::text(kind), sql::int8(after_)});
            Datum after = sql::column(0, 1, &ends);
            after_ = ends ? 0 : DatumGetInt64(after);
        });
    });
    if (failure) {
        std::string reason = failure->what();
        pg_call([&] { ereport(LOG, (errmsg("old history could not be thrown away: %s", reason))); });
        after_ = 0;
        ends = true;
    }
    if (ends)
        kind_ = (kind_ + 1) % std::size(kinds);
    next_ = ends && kind_ == 0 ? now + between_rounds : now + between_steps;
    return next_;
}

} // namespace reverse_etl
