#include "postgres/syncs/wait.h"

#include "postgres/border/border.h"
#include "postgres/border/settings.h"
#include "postgres/border/sql.h"
#include "postgres/outbox/wait.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

extern "C" {
#include "executor/spi.h"
#include "utils/guc.h"
}

namespace reverse_etl {

namespace {

constexpr std::chrono::seconds between_bars{2};
/// While nothing changes they come half as often each time, and so often in the end.
constexpr std::chrono::seconds most_between_bars{64};
constexpr int bar_width = 20;

/// A row of reverse_etl.runs.
struct Progress {
    std::string status, reason;
    std::string trouble; ///< the state that keeps the destination from getting rows; "" for none
    std::string why;     ///< and the reason, in words that may be others with each try
    std::int64_t added, changed, removed, unchanged, invalid, waiting, accepted, rejected, cancelled, absent;

    std::int64_t all() const { return added + changed + removed; }
    bool is_under_way() const { return status == "delivering" || status == "cancelling"; }
};

Progress progress_of(std::int64_t run) {
    Progress progress;
    std::int64_t *numbers[] = {&progress.added,     &progress.changed, &progress.removed,  &progress.unchanged,
                               &progress.invalid,   &progress.waiting, &progress.accepted, &progress.rejected,
                               &progress.cancelled, &progress.absent};
    auto read = [&] {
        uint64 found = sql::execute(
            "SELECT r.added, r.changed, r.removed, r.unchanged, r.invalid, r.waiting, r.accepted, "
            "r.rejected, r.cancelled, r.absent, r.status, r.reason, d.state, d.reason "
            "FROM reverse_etl.runs AS r "
            "LEFT JOIN reverse_etl_internal.sync_definitions AS s ON s.id OPERATOR(pg_catalog.=) r.sync_id "
            "LEFT JOIN LATERAL (SELECT state, reason FROM reverse_etl.destination_states AS t "
            "WHERE t.destination OPERATOR(pg_catalog.=) s.destination "
            "AND t.role OPERATOR(pg_catalog.=) ANY (ARRAY[s.owner, '0']) LIMIT 1) AS d ON true "
            "WHERE r.id OPERATOR(pg_catalog.=) $1",
            {sql::int8(run)});
        if (found == 0)
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                            errmsg("run %lld does not exist any more", static_cast<long long>(run))));
        for (int i = 0; i < 10; i++)
            *numbers[i] = DatumGetInt64(sql::column(0, i + 1));
    };
    AsMachine machine;
    sql::with_own_results([&] {
        pg_call(read);
        progress.status = sql::printed_column(0, 11);
        progress.reason = sql::printed_column(0, 12);
        progress.trouble = sql::printed_column(0, 13);
        progress.why = sql::printed_column(0, 14);
    });
    return progress;
}

bool shows_bars() {
    return settings::progress || (application_name != nullptr && std::strcmp(application_name, "psql") == 0);
}

void show_bar(const std::string &sync, const Progress &progress, double seconds) {
    std::int64_t done = progress.all() - progress.waiting;
    int filled = static_cast<int>(done * bar_width / std::max<std::int64_t>(progress.all(), 1));
    std::string bar = std::string(filled, '#') + std::string(bar_width - filled, '-');
    double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    std::string left =
        !progress.trouble.empty() ? ", the destination is " + progress.trouble + ": " + progress.why
        : rate > 0 ? ", about " + std::to_string(static_cast<long>(static_cast<double>(progress.waiting) / rate) + 1) +
                         " s left"
                   : "";
    pg_call([&] {
        ereport(NOTICE, (errmsg("%s [%s] %lld%% %lld of %lld rows, %.0f rows/s%s", sync, bar,
                                static_cast<long long>(done * 100 / std::max<std::int64_t>(progress.all(), 1)),
                                static_cast<long long>(done), static_cast<long long>(progress.all()), rate, left)));
    });
}

} // namespace

RunBars::RunBars(std::int64_t run, std::string sync)
    : run_(run), sync_(std::move(sync)), began_(Clock::now()), next_(began_ + between_bars), pause_(between_bars) {}

void RunBars::show_if_due() {
    if (!shows_bars() || Clock::now() < next_)
        return;
    const Progress progress = progress_of(run_);
    show_bar(sync_, progress, std::chrono::duration<double>(Clock::now() - began_).count());
    // Not by its words: they hold how long a try took, or the number of the destination's request.
    std::pair<std::int64_t, std::string> now(progress.waiting, progress.trouble);
    pause_ = shown_ == now ? std::min(pause_ * 2, most_between_bars) : between_bars;
    shown_ = std::move(now);
    next_ = Clock::now() + pause_;
}

long RunBars::until_due_ms() const {
    if (!shows_bars())
        return std::numeric_limits<long>::max();
    return std::max<long>(std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now()).count(), 1);
}

void wait_for_run(std::int64_t run, const std::string &sync) {
    RunBars bars(run, sync);
    WatchOutcomes watch;
    Progress progress = progress_of(run);
    if (progress.is_under_way())
        require_worker();
    while (progress.is_under_way()) {
        bars.show_if_due();
        sleep_for_outcomes(bars.until_due_ms());
        progress = progress_of(run);
    }
}

void report_run(std::int64_t run, const std::string &sync) {
    Progress progress = progress_of(run);
    auto count = [](std::int64_t number, const char *what) { return std::to_string(number) + " " + what; };
    std::string found = count(progress.added, "added, ") + count(progress.changed, "changed, ") +
                        count(progress.removed, "removed, ") + count(progress.unchanged, "unchanged, ") +
                        count(progress.invalid, "invalid");
    std::string outcomes = count(progress.accepted, "accepted, ") + count(progress.rejected, "rejected");
    if (progress.waiting > 0)
        outcomes += ", " + count(progress.waiting, "waiting");
    if (progress.absent > 0)
        outcomes += ", " + count(progress.absent, "absent");
    if (progress.cancelled > 0)
        outcomes += ", " + count(progress.cancelled, "cancelled");
    bool held = progress.status == "held";
    bool well = (progress.status == "completed" || progress.status == "delivering") && progress.rejected == 0 &&
                progress.invalid == 0;
    auto number = static_cast<long long>(run), behind = static_cast<long long>(progress.rejected + progress.invalid);
    std::string detail = found + (held ? "." : "; " + outcomes + ".");
    if (!progress.reason.empty())
        detail = "Because " + progress.reason + ": " + detail;
    pg_call([&] {
        if (well)
            ereport(NOTICE, (errmsg("run %lld of sync \"%s\": %s; %s", number, sync, found, outcomes)));
        else if (held)
            ereport(WARNING,
                    (errmsg("run %lld of sync \"%s\" is held, and has sent nothing", number, sync),
                     errdetail("%s", detail),
                     errhint("reverse_etl.plan_sync shows what it would do; reverse_etl.release_run(%lld) lets it.",
                             number)));
        else
            ereport(
                WARNING,
                (progress.status == "completed" || progress.status == "delivering"
                     ? errmsg_plural("run %lld of sync \"%s\" leaves %lld row behind",
                                     "run %lld of sync \"%s\" leaves %lld rows behind", behind, number, sync, behind)
                     : errmsg("run %lld of sync \"%s\" %s", number, sync,
                              ServerText(progress.status == "failed" ? "failed" : "was cancelled")),
                 errdetail("%s", detail),
                 errhint("Rows that did not get through: SELECT * FROM reverse_etl.run_rows WHERE run_id = %lld.",
                         number)));
    });
}

} // namespace reverse_etl
