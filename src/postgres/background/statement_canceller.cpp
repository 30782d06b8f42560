/// The process that ends statements at sources whose own processes died, and could not.

#include "postgres/background/statement_cancellers.h"
#include "postgres/border/act_as.h"
#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_process.h"
#include "postgres/border/schema_version.h"
#include "postgres/border/sql.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/identity.h"
#include "postgres/sources/source_line.h"
#include "postgres/sources/statement_note.h"

#include <optional>

extern "C" {
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#pragma GCC visibility push(default)
void reverse_etl_statement_canceller_main(Datum);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

/// The way to the source of a statement.
struct Way {
    std::string server;
    std::optional<ConnectorStatement> source;
    std::shared_ptr<Authenticator> authenticator;
    Policy policy;
};

/// Nothing where the server is gone, or no source any more.
std::optional<Way> way_to(const NotedStatement &noted) {
    if (pg_call([&] { return GetForeignServerExtended(noted.server, FSV_MISSING_OK) == nullptr; }))
        return std::nullopt;
    const Settings settings = options_of_server(noted.server);
    const auto connector = find_connector(settings.contains("connector") ? settings.at("connector") : "");
    Way way{server_name(noted.server), connector->statement(settings), nullptr, policy_of(settings)};
    if (!way.source)
        return std::nullopt;
    way.policy.account = account_of(noted.role, noted.server);
    way.authenticator = signer_of_account(noted.server, noted.role, way.source->object);
    return way;
}

/// Whether the source has taken it.
bool is_cancelled(const Way &way, const NotedStatement &noted) {
    const AccountLine line = source_line(way.policy);
    StatementRun run(*way.source, *way.authenticator, line, noted.sql, noted.settings);
    run.take_up(noted.kept);
    return run.cancel();
}

void end(const NotedStatement &noted) {
    std::string reason = "the source did not take it";
    const auto handle = noted.kept.find("handle");
    const bool has_name = handle != noted.kept.end() && !handle->second.empty();
    const std::string name = has_name ? handle->second : noted.settings.id; // the source's own, where it is known
    try {
        std::optional<Way> way;
        sql::in_transaction([&] { way = way_to(noted); });
        if (!way) {
            statement_notes::remove(noted.settings.id);
            return;
        }
        if (is_cancelled(*way, noted)) {
            statement_notes::remove(noted.settings.id);
            pg_call([&] {
                ereport(LOG,
                        (errmsg("statement %s of server \"%s\", which was left behind, was cancelled at its source",
                                name, way->server)));
            });
            return;
        }
    } catch (const std::exception &error) {
        reason = error.what();
    }
    // It is tried again until the source has ended it by itself.
    if (GetCurrentTimestamp() > noted.until)
        statement_notes::remove(noted.settings.id);
    pg_call([&] { ereport(LOG, (errmsg("could not cancel statement %s, which was left behind: %s", name, reason))); });
}

void end_all() {
    std::vector<NotedStatement> left;
    sql::in_transaction([&] {
        if (!has_other_version() && identity::matches())
            left = statement_notes::left_behind();
    });
    for (const NotedStatement &noted : left)
        end(noted);
}

BackgroundWorkerHandle *&running() {
    static BackgroundWorkerHandle *handle = nullptr;
    return handle;
}

bool is_running() {
    pid_t pid;
    if (running() == nullptr || GetBackgroundWorkerPid(running(), &pid) != BGWH_STOPPED)
        return running() != nullptr;
    pfree(running());
    running() = nullptr;
    return false;
}

} // namespace

void statement_cancellers::start_if_needed() {
    if (is_running() || !identity::matches() || statement_notes::left_behind().empty())
        return;
    BackgroundWorker process = own_process("statement canceller", "reverse_etl_statement_canceller_main");
    running() = start_process(process);
}

void reverse_etl_statement_canceller_main(Datum database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    pin_settings_of_process();
    pgstat_report_appname("reverse_etl statement canceller");
    guard([&] { end_all(); });
    proc_exit(0);
}
