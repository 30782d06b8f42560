#include "postgres/shared/worker_control.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql_function.h"
#include "postgres/shared/worker_status.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/pmsignal.h"
#include "storage/proc.h"
}

namespace reverse_etl {

namespace {

constexpr const char *library = "reverse_etl";
constexpr const char *worker_type = "reverse_etl worker";
/// A worker that broke comes again after so many seconds.
constexpr int restart_after = 1;
constexpr int longest_start_ms = 10'000, longest_without_room_ms = 1'000, longest_end_ms = 10'000;

bool wake_wanted = false;
uint64 calls_seen = PG_UINT64_MAX; ///< by the worker: it is called when it starts

/// Calls `use` for each process of the kind. For a moment there may be two workers, of which one ends, since the other
/// holds the lock; who it will be cannot be seen from here.
template <class Use>
void for_each_process(Oid database, const char *wanted, Use &&use) {
    for (uint32 i = 0; i < ProcGlobal->allProcCount; i++) {
        PGPROC *process = &ProcGlobal->allProcs[i];
        if (process->pid == 0 || process->databaseId != database || !compat::is_background_worker(process))
            continue;
        const char *type = GetBackgroundWorkerTypeByPid(process->pid);
        if (type != nullptr && std::strcmp(type, wanted) == 0)
            use(process);
    }
}

/// The worker's process; nullptr if there is none.
PGPROC *find_worker(Oid database) {
    PGPROC *found = nullptr;
    for_each_process(database, worker_type, [&](PGPROC *process) { found = process; });
    return found;
}

void sleep_briefly() {
    CHECK_FOR_INTERRUPTS();
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10, compat::wait_event());
    ResetLatch(MyLatch);
}

/// Starts the worker also where there is no room for the moment: others that find none start it too, and all of those
/// but one end at once. Whether there is one now, or will be.
bool start_worker_soon(VirtualTransactionId caller) {
    for (int waited = 0; !start_worker(MyDatabaseId, MyDatabaseTableSpace, caller); waited += 10) {
        if (own_locks::is_served())
            return true;
        if (waited >= longest_without_room_ms)
            return false;
        sleep_briefly();
    }
    return true;
}

/// Whether a worker that broke comes again. The postmaster that starts it may oversleep by up to a minute, where it was
/// told of the end as it fell asleep: it is woken.
bool comes_again() {
    if (!worker_status::comes_again())
        return false;
    SendPostmasterSignal(PMSIGNAL_BACKGROUND_WORKER_CHANGE);
    return true;
}

/// Before the commit, since nothing may fail after it. From here on either there is a worker that stays until the
/// commit is done, or one is started that waits for it.
void ensure_worker() {
    own_locks::count_on_worker();
    if (own_locks::is_served() || comes_again())
        return;
    VirtualTransactionId own;
    GET_VXID_FROM_PGPROC(own, *MyProc);
    if (!start_worker_soon(own))
        ereport(WARNING, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                          errmsg("queued rows will wait, since their background worker could not be started"),
                          errhint("You might need to increase \"max_worker_processes\".")));
}

void set_up(BackgroundWorker &worker, const char *function) {
    worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    std::snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "%s", library);
    std::snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "%s", function);
}

} // namespace

shared_memory::Part worker_calls = {
    "reverse_etl worker calls",
    sizeof(pg_atomic_uint64),
    [](void *part) { pg_atomic_init_u64(static_cast<pg_atomic_uint64 *>(part), 0); },
};

bool has_calls() {
    return worker_calls.address != nullptr &&
           pg_atomic_read_u64(static_cast<pg_atomic_uint64 *>(worker_calls.address)) != calls_seen;
}

bool is_called() {
    if (worker_calls.address == nullptr)
        return true;
    uint64 before =
        std::exchange(calls_seen, pg_atomic_read_u64(static_cast<pg_atomic_uint64 *>(worker_calls.address)));
    return calls_seen != before;
}

bool wake_worker() {
    if (worker_calls.address != nullptr)
        pg_atomic_fetch_add_u64(static_cast<pg_atomic_uint64 *>(worker_calls.address), 1);
    return nudge_worker();
}

bool nudge_worker() {
    bool runs = false;
    for_each_process(MyDatabaseId, worker_type, [&](PGPROC *process) {
        SetLatch(&process->procLatch);
        runs = true;
    });
    return runs;
}

void wake_worker_at_commit() {
    wake_wanted = true;
}

void start_worker_at(XactEvent event) {
    if (!wake_wanted)
        return;
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        ensure_worker();
        break;
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE: // COMMIT PREPARED wakes it
        wake_wanted = false;
        break;
    default:
        break;
    }
}

void wake_worker_after_locks(bool is_commit) {
    if (std::exchange(wake_wanted, false) && is_commit)
        wake_worker();
}

bool start_worker(Oid database, Oid tablespace, VirtualTransactionId caller) {
    BackgroundWorker worker;
    set_up(worker, "reverse_etl_worker_main");
    worker.bgw_restart_time = restart_after;
    std::snprintf(worker.bgw_name, sizeof(worker.bgw_name), "reverse_etl worker for database %u", database);
    std::snprintf(worker.bgw_type, sizeof(worker.bgw_type), "%s", worker_type);
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    WorkerStart start{tablespace, caller};
    memcpy(worker.bgw_extra, &start, sizeof(start));
    return RegisterDynamicBackgroundWorker(&worker, nullptr);
}

void require_worker() {
    if (nudge_worker())
        return;
    if (!pg_call([] { return comes_again() || start_worker_soon(no_transaction); }))
        throw Error(ERRCODE_INSUFFICIENT_RESOURCES, "the background worker of reverse_etl could not be started", "",
                    "You might need to increase \"max_worker_processes\".");
    for (int waited = 0; !nudge_worker(); waited += 10) {
        if (waited >= longest_start_ms)
            throw Error(ERRCODE_INSUFFICIENT_RESOURCES, "the background worker of reverse_etl did not start", "",
                        "See the server log for the reason.");
        pg_call([waited] {
            sleep_briefly();
            if (waited % 1000 == 990) // it may have been woken before it was told of the end
                comes_again();
        });
    }
}

int pid_of_worker() {
    PGPROC *process = find_worker(MyDatabaseId);
    return process == nullptr ? 0 : process->pid;
}

int running_background_workers() {
    int count = 0;
    for (uint32 i = 0; i < ProcGlobal->allProcCount; i++) {
        const PGPROC &process = ProcGlobal->allProcs[i];
        if (process.pid != 0 && compat::is_background_worker(&process) &&
            GetBackgroundWorkerTypeByPid(process.pid) != nullptr)
            count++;
    }
    return count;
}

bool ask_worker_to_end(Oid database) {
    PGPROC *process = find_worker(database);
    // SIGUSR2 asks it to end for good; after SIGTERM it would be restarted.
    return process != nullptr && kill(process->pid, SIGUSR2) == 0;
}

void wait_for_end_of_worker(Oid database) {
    for (int waited = 0; waited < longest_end_ms && find_worker(database) != nullptr; waited += 10)
        sleep_briefly();
}

void register_launcher() {
    BackgroundWorker launcher;
    set_up(launcher, "reverse_etl_launcher_main");
    launcher.bgw_restart_time = restart_after;
    std::snprintf(launcher.bgw_name, sizeof(launcher.bgw_name), "%s", "reverse_etl launcher");
    std::snprintf(launcher.bgw_type, sizeof(launcher.bgw_type), "%s", "reverse_etl launcher");
    RegisterBackgroundWorker(&launcher);
}

/// reverse_etl_internal.wake_worker()
SQL_FUNCTION(reverse_etl_wake_worker) {
    guard([] { wake_worker_at_commit(); });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
