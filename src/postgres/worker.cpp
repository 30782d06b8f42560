/// The background worker of a database: it serves what other processes leave for it, and delivers the outbox.

#include "postgres/act_as.h"
#include "postgres/border.h"
#include "postgres/outbox_service.h"
#include "postgres/schema_version.h"
#include "postgres/worker_control.h"

#include <csignal>
#include <cstring>
#include <sys/stat.h>

extern "C" {
#include "access/xact.h"
#include "catalog/pg_extension.h"
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
#include "utils/snapmgr.h"

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

/// Connecting to a database that is gone would be an error, and errors are restarted from, for ever.
bool database_exists(Oid database) {
    Oid tablespace;
    memcpy(&tablespace, MyBgworkerEntry->bgw_extra, sizeof(tablespace));
    char *folder = GetDatabasePath(database, tablespace);
    struct stat status;
    return stat(folder, &status) == 0;
}

/// The one worker of its database holds this lock on the extension while it lives. It conflicts with nothing else. As
/// advisory locks do, it stays when a transaction aborts, and goes with the process.
bool become_the_worker(Oid extension) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension, 1);
    tag.locktag_lockmethodid = USER_LOCKMETHOD;
    return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
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

} // namespace

void reverse_etl_worker_main(Datum database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    pqsignal(SIGINT, SIG_IGN); // there is no statement to cancel
    pqsignal(SIGUSR2, on_sigusr2);
    BackgroundWorkerUnblockSignals();
    if (!database_exists(DatumGetObjectId(database)))
        proc_exit(0);
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    pin_settings_of_process();
    Oid extension = extension_oid();
    if (!OidIsValid(extension) || !become_the_worker(extension))
        proc_exit(0);
    pgstat_report_appname("reverse_etl worker");
    guard([] { serve_outbox(asked_to_end); });
    proc_exit(0);
}
