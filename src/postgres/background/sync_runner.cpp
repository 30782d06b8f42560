/// The process that runs those syncs of a role that nobody waits for, one after the other: that follow another, were
/// released, or whose process died. It also pushes the role's alerts. It ends when there is nothing left to do. It is
/// connected as that role where that can be had; and whatever the role's code has left in the session is thrown away
/// before the next step.

#include "postgres/background/due_syncs.h"
#include "postgres/background/sync_runners.h"
#include "postgres/border/act_as.h"
#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql.h"
#include "postgres/fdw/delivery_mode.h"
#include "postgres/streams/statements.h"
#include "postgres/syncs/run.h"

#include <chrono>
#include <cstring>
#include <functional>
#include <optional>

extern "C" {
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"

#pragma GCC visibility push(default)
void reverse_etl_sync_runner_main(Datum);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

Oid of_role = InvalidOid; ///< whose syncs and alerts they are

/// How long rows of one run may leave straight from here while others wait.
constexpr std::chrono::seconds longest_at_once{5};

/// How often the worker is told that a run has begun, so that it sees to it if this process dies: while there are any,
/// it looks each second.
constexpr std::chrono::seconds between_calls{1};

void log_failure(const std::string &what, const Error &error) {
    std::string reason = error.what();
    pg_call([&] {
        ereport(WARNING, (errcode(error.sqlstate), errmsg("%s: %s", what, reason),
                          error.detail.empty() ? 0 : errdetail("%s", error.detail)));
    });
}

/// Whether it is on record, so that the next sync has its turn.
bool give_up(int32 sync, const std::string &reason) {
    return !attempt([&] {
        sql::AsOwner owner;
        pg_call([&] {
            sql::execute("SELECT reverse_etl_internal.give_up_run($1, $2)", {sql::int4(sync), sql::text(reason)});
        });
    });
}

/// Whether somebody's run or alert has no process yet.
bool others_wait() {
    sql::AsOwner owner;
    return pg_call([] {
        sql::execute("SELECT reverse_etl_internal.has_sync_tasks()", {});
        return DatumGetBool(sql::column(0, 1));
    });
}

/// Sends what the run has kept for that. Processes like this are few: after a while others come first, and the rest
/// leaves by the outbox.
void deliver(SyncRun &run, std::optional<Error> &error) {
    Clock::time_point began = Clock::now();
    std::exception_ptr failed;
    try {
        run.deliver([](const std::function<void()> &body) { sql::in_transaction(body); },
                    [&] { return Clock::now() - began < longest_at_once || !others_wait(); });
    } catch (...) {
        failed = std::current_exception();
    }
    if (failed)
        error.emplace(lasting(failed));
}

bool calls_worker() {
    static std::optional<Clock::time_point> called;
    if (called && Clock::now() - *called < between_calls)
        return false;
    called = Clock::now();
    return true;
}

/// Whether there was one.
bool run_next_sync() {
    static DueSyncs due(of_role);
    std::optional<SyncRun> run;
    std::optional<int32> sync;
    bool begun = false;
    std::optional<Error> failure = attempt([&] {
        sync = due.claim();
        if (!sync)
            return;
        run.emplace(find_sync(*sync));
        begun = run->begin(calls_worker());
    });
    if (failure) {
        // It keeps none of the others waiting.
        log_failure("a sync could not be run", *failure);
        if (sync && !give_up(*sync, failure->what()))
            due.leave_out(*sync);
        return sync.has_value();
    }
    if (!run)
        return false;
    if (!begun)
        return true;
    run->may_deliver();
    std::optional<Error> error = attempt([&] { run->queue(); });
    reset_process();
    if (!error && run->delivers())
        deliver(*run, error);
    if (error) {
        log_failure("run of sync \"" + run->name() + "\" failed", *error);
        std::string reason = error->what();
        bool cancelled = error->sqlstate == ERRCODE_QUERY_CANCELED;
        if (std::optional<Error> unnoted = attempt([&] { run->fail(reason, cancelled); })) {
            log_failure("the end of that run could not be noted", *unnoted);
            due.leave_out(*sync); // this process would only meet the same again
        }
    }
    return true;
}

struct Alert {
    std::int64_t id = 0;
    Oid owner = InvalidOid, destination = InvalidOid;
    std::string search_path;
};

/// Puts what the alert says into the columns of the destination that have those names; a message goes by "text", too.
void push_alert(const Alert &alert) {
    std::string table = qualified_name(alert.destination);
    pg_call([&] {
        sql::execute(R"(
            SELECT string_agg(quote_ident(attname), ', '),
                   string_agg(quote_literal(CASE attname WHEN 'text' THEN a.message WHEN 'message' THEN a.message
                                            WHEN 'sync' THEN a.sync WHEN 'event' THEN a.event WHEN 'run_id' THEN a.run_id::text
                                            ELSE to_jsonb(a.created_at) #>> '{}' END), ', ')
              FROM pg_attribute, reverse_etl.alerts AS a
             WHERE attrelid = $1 AND a.id = $2 AND attnum > 0 AND NOT attisdropped
               AND attname IN ('text', 'message', 'sync', 'event', 'run_id', 'created_at'))",
                     {sql::oid(alert.destination), sql::int8(alert.id)});
    });
    std::string columns = sql::printed_column(0, 1), values = sql::printed_column(0, 2);
    if (columns.empty())
        throw Error(ERRCODE_UNDEFINED_COLUMN, "destination " + table + " has no column for an alert", "",
                    "Give it a column \"text\" or \"message\".");
    std::string statement = "INSERT INTO " + table + " (" + columns + ") VALUES (" + values + ")";
    QueueEverything queue;
    ActAs owner(alert.owner, alert.search_path);
    pg_call([&] { sql::run(statement); });
}

/// Whether there was one.
bool push_next_alert() {
    Alert alert;
    auto note = [&] {
        sql::AsOwner as_owner;
        pg_call([&] {
            sql::execute("UPDATE reverse_etl.alerts SET pushed_at = clock_timestamp() WHERE id = $1",
                         {sql::int8(alert.id)});
        });
    };
    std::optional<Error> failure = attempt([&] {
        sql::AsOwner as_owner;
        uint64 found = pg_call([] {
            return sql::execute(R"(
                SELECT a.id, s.owner::oid, a.push_to::oid, s.search_path
                  FROM reverse_etl.alerts AS a JOIN reverse_etl_internal.sync_definitions AS s ON s.id = a.sync_id
                 WHERE a.pushed_at IS NULL AND a.push_to IS NOT NULL AND a.created_at > now() - interval '1 day'
                   AND s.owner::oid = $1
                 ORDER BY a.id LIMIT 1 FOR UPDATE OF a SKIP LOCKED)",
                                {sql::oid(of_role)});
        });
        if (found == 0)
            return;
        pg_call([&] {
            alert.id = DatumGetInt64(sql::column(0, 1));
            alert.owner = DatumGetObjectId(sql::column(0, 2));
            alert.destination = DatumGetObjectId(sql::column(0, 3));
        });
        alert.search_path = sql::printed_column(0, 4);
        push_alert(alert);
        note();
    });
    reset_process();
    if (failure) {
        // It would fail again.
        log_failure("an alert could not be pushed", *failure);
        attempt(note);
    }
    return alert.id != 0;
}

} // namespace

void reverse_etl_sync_runner_main(Datum database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    sync_runners::Owner owner;
    std::memcpy(&owner, MyBgworkerEntry->bgw_extra, sizeof(owner));
    of_role = owner.role;
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), owner.can_connect ? of_role : InvalidOid,
                                              compat::any_role);
    pin_settings_of_process();
    pgstat_report_appname("reverse_etl sync runner");
    guard([] {
        if (!pg_call([] { return own_locks::become_a_sync_runner(of_role); })) {
            // Those whom the worker before has started. The worker looks again soon.
            pg_call([] { ereport(DEBUG1, (errmsg("a role has as many processes for its syncs as it may have"))); });
            return;
        }
        // What else its role has to do may have to wait for it.
        pg_call([] { limit_waits_for_locks("30000"); });
        while (run_next_sync() || push_next_alert())
            pg_call([] {
                CHECK_FOR_INTERRUPTS();
                pgstat_report_stat(false);
            });
    });
    proc_exit(0);
}
