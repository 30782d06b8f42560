/// The process that fetches one access token. It belongs to no session, so a cancelled statement or a client that is
/// gone does not lose the answer, which may hold the only copy of a new refresh token: that is stored, and flushed,
/// before anybody can use the access token that came with it.

#include "engine/http/curl_transport.h"
#include "postgres/border/act_as.h"
#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/latch_waiter.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/schema_version.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/shared_token.h"
#include "postgres/destinations/token_tables.h"

#include <algorithm>
#include <csignal>
#include <cstring>

extern "C" {
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#pragma GCC visibility push(default)
void reverse_etl_token_fetcher_main(Datum);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

/// Once asked to end, an answer that may hold a refresh token is waited for so long.
constexpr std::chrono::seconds patience_at_end{5};
constexpr int most_attempts_to_store = 20;
constexpr long between_attempts_ms = 250;

volatile sig_atomic_t asked_to_end = false;

void on_sigterm(SIGNAL_ARGS) {
    (void)postgres_signal_arg;
    int saved = errno;
    asked_to_end = true;
    SetLatch(MyLatch);
    errno = saved;
}

/// A token to be fetched, with the credentials of a role.
struct Errand {
    std::shared_ptr<Authenticator> authenticator;
    Policy policy;
    bool is_needed = false;

    AccessToken &token() const { return *authenticator->token(); }
};

/// Not where what the session sees is not committed yet, or not there any more.
bool find_credentials(const TokenPlace &place, Errand &errand) {
    if (OidIsValid(place.relation)) {
        if (!pg_call([&] { return is_destination(place.relation); }))
            return false;
        Destination destination(place.relation);
        errand.authenticator = destination.authenticator(place.role);
        errand.policy = destination.policy;
        return true;
    }
    if (pg_call([&] { return GetForeignServerExtended(place.server, FSV_MISSING_OK) == nullptr; }))
        return false;
    const Settings settings = options_of_server(place.server);
    const auto connector = find_connector(settings.contains("connector") ? settings.at("connector") : "");
    errand.authenticator = signer_of_account(place.server, place.role, connector->account(settings));
    errand.policy = policy_of(settings);
    return true;
}

Errand prepare(const TokenOrder &order, const std::string &account) {
    Errand errand;
    sql::in_transaction([&] {
        if (has_other_version() || !find_credentials(order.place, errand))
            return;
        // What the session has not committed yet cannot be seen here.
        if (errand.authenticator->token() == nullptr || errand.token().identity() != account)
            return;
        if (token_tables::read(account).number > order.since)
            return;
        // Before a refresh token is spent: its successor has to be kept.
        token_tables::check_key();
        if (errand.token().has_refresh_token())
            if (std::string newest = token_tables::newest_refresh_token(errand.token().refresh_identity());
                !newest.empty())
                errand.token().use_refresh_token(newest);
        errand.is_needed = true;
    });
    return errand;
}

Response ask(const Errand &errand) {
    CurlTransport transport;
    LatchWaiter waiter(true);
    Request request = errand.token().request();
    request.ca_file = errand.policy.ca_file;
    request.proxy = errand.policy.proxy;
    request.client_certificate = errand.authenticator->certificate();
    request.connect_timeout = errand.policy.connect_timeout;
    request.timeout = errand.policy.timeout;
    transport.start(request);
    std::vector<Finished> finished;
    Clock::time_point end = Clock::time_point::max();
    while (finished.empty() && Clock::now() < end) {
        if (asked_to_end && end == Clock::time_point::max())
            end = Clock::now() + (errand.token().may_rotate() ? patience_at_end : std::chrono::seconds(0));
        transport.run(waiter, std::min(end, Clock::now() + std::chrono::seconds(1)), finished);
    }
    if (!finished.empty())
        return finished[0].response;
    Response none;
    none.failure = Failure::interrupted;
    none.failure_text = "the server is shutting down";
    return none;
}

void store(const Errand &errand, const TokenOrder &order, const std::string &account, const TokenResult &result) {
    const std::int64_t now = GetCurrentTimestamp();
    const AccessToken &token = errand.token();
    for (int i = 1;; i++) {
        std::optional<Error> failure = attempt([&] {
            // On this machine's disk, whatever the configuration says; and not at the mercy of a standby.
            pg_call([] {
                set_config_option("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                                  false);
            });
            token_tables::write(account, std::max(now, order.since + 1), result,
                                {token.refresh_identity(), token.mapped_refresh_token()});
        });
        if (!failure)
            return;
        if (i >= most_attempts_to_store || asked_to_end)
            throw *failure;
        pg_call([] {
            (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, between_attempts_ms,
                            compat::wait_event());
            ResetLatch(MyLatch);
        });
    }
}

void fetch(const TokenOrder &order) {
    const std::string account(order.account, sizeof(order.account));
    std::uint32_t lock = 0;
    std::memcpy(&lock, account.data(), sizeof(lock));
    pg_call([&] { own_locks::lock_token(lock); });
    const Errand errand = prepare(order, account);
    if (!errand.is_needed)
        return;
    pg_call([] { pgstat_report_activity(STATE_RUNNING, "fetching an access token"); });
    store(errand, order, account, errand.token().result_of(ask(errand)));
}

} // namespace

void reverse_etl_token_fetcher_main(Datum database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, on_sigterm);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    pin_settings_of_process();
    pgstat_report_appname("reverse_etl token fetcher");
    TokenOrder order;
    std::memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
    guard([&] { fetch(order); });
    proc_exit(0);
}
