/// The background worker of a database: it serves what other processes leave for it, and delivers the outbox.

#include "postgres/background/outbox_service.h"
#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/lock_patience.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/schema_version.h"
#include "postgres/shared/worker_control.h"
#include "postgres/shared/worker_status.h"

#include <csignal>
#include <cstring>
#include <sys/stat.h>

extern "C" {
#include "access/xact.h"
#include "commands/extension.h"
#include "common/relpath.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"

#pragma GCC visibility push(default)
void reverse_etl_worker_main(Datum);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

volatile sig_atomic_t asked_to_end = false;

void on_sigusr2(SIGNAL_ARGS) {
    (void)postgres_signal_arg;
    int saved = errno;
    asked_to_end = true;
    SetLatch(MyLatch);
    errno = saved;
}

/// A wait for a lock that is too long is ended by this signal. Whoever else sends it means a statement, and there is
/// none.
void on_sigint(SIGNAL_ARGS) {
    if (get_timeout_indicator(LOCK_TIMEOUT, false))
        StatementCancelHandler(postgres_signal_arg);
}

WorkerStart read_start() {
    WorkerStart start;
    memcpy(&start, MyBgworkerEntry->bgw_extra, sizeof(start));
    return start;
}

/// Connecting to a database that is gone would be an error, and errors are restarted from, for ever.
bool database_exists(Oid database) {
    char *folder = GetDatabasePath(database, read_start().tablespace);
    struct stat status;
    return stat(folder, &status) == 0;
}

/// InvalidOid where there is none, or one that this library does not know.
Oid extension_oid() {
    StartTransactionCommand();
    Oid extension = get_extension_oid("reverse_etl", true);
    if (OidIsValid(extension) && guard([] { return has_other_version(); }))
        extension = InvalidOid;
    CommitTransactionCommand();
    return extension;
}

/// The transaction that this was started for may be the one that creates the extension: it can be seen when that has
/// committed.
Oid wait_for_extension() {
    Oid extension = extension_oid();
    VirtualTransactionId caller = read_start().caller;
    if (OidIsValid(extension) || !VirtualTransactionIdIsValid(caller))
        return extension;
    StartTransactionCommand();
    pgstat_report_activity(STATE_RUNNING, "waiting for the transaction that queued rows");
    VirtualXactLock(caller, true);
    CommitTransactionCommand();
    return extension_oid();
}

/// What the worker does. The exit code: 0 if it is not to be started again.
int work(Oid extension) {
    own_locks::serve();
    worker_status::started();
    border::Caught caught;
    try {
        return serve_outbox(extension, asked_to_end);
    } catch (...) {
        border::note(caught);
    }
    worker_status::breaks(caught.of_postgres != nullptr ? caught.of_postgres->message : caught.message);
    border::raise(caught);
}

} // namespace

void reverse_etl_worker_main(Datum database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    pqsignal(SIGINT, on_sigint);
    pqsignal(SIGUSR2, on_sigusr2);
    BackgroundWorkerUnblockSignals();
    if (!database_exists(DatumGetObjectId(database)))
        proc_exit(0);
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    pin_settings_of_process();
    pgstat_report_appname("reverse_etl worker");
    Oid extension = wait_for_extension();
    if (!OidIsValid(extension) || !own_locks::become_the_worker())
        proc_exit(0);
    // It serves many: who is in the way of one is asked again later.
    lock_patience::begin();
    proc_exit(work(extension));
}
