#pragma once

#include "postgres/shared/shared_memory.h"

extern "C" {
#include "access/xact.h"
#include "storage/lock.h"
}

namespace reverse_etl {

/// The background worker of this session's database, as other processes see it. It needs no shared memory: it is found
/// among the processes, and woken by its latch.

/// Wakes the worker if it runs, to look at its tables. Never raises. Whether it runs.
bool wake_worker();

/// Wakes the worker if it runs, for what lies in shared memory alone. Never raises. Whether it runs.
bool nudge_worker();

/// Whether somebody woke a worker to look at its tables, since this process last asked.
bool is_called();
/// The same, without a change of what it answers; false without shared memory.
bool has_calls();
extern shared_memory::Part worker_calls;

/// Wakes the worker once this transaction has committed, and starts it if it does not run. May raise: a WARNING tells
/// when no worker can be started.
void wake_worker_at_commit();
/// What it takes to do so: see module/transaction_end.
void start_worker_at(XactEvent event);
/// At the very end of the commit, when other processes have been told what changed in the catalog. Woken sooner, the
/// worker might still go by old options, and nobody would wake it again.
void wake_worker_after_locks(bool is_commit);

/// Starts the worker unless it runs, and waits until it does, 10 seconds at most. Throws an Error when it cannot be
/// started. Not to be called in the transaction that creates the extension.
void require_worker();

constexpr VirtualTransactionId no_transaction = {-1, InvalidLocalTransactionId};

/// What a worker is told when it is started.
struct WorkerStart {
    Oid tablespace; ///< of its database
    /// The transaction that is about to commit what it is needed for; invalid for none.
    VirtualTransactionId caller;
};

/// Asks Postgres to start the worker of a database; whether there was room for it.
bool start_worker(Oid database, Oid tablespace, VirtualTransactionId caller = no_transaction);

/// The worker's process, or one that is about to become it; 0 if there is none.
int pid_of_worker();
/// How many background workers the cluster has, of all kinds.
int running_background_workers();

/// Asks the worker of a database that is to be dropped, renamed or copied to end; whether there was one.
bool ask_worker_to_end(Oid database);
/// Waits until it has gone, 10 seconds at most. May raise.
void wait_for_end_of_worker(Oid database);

/// Makes the postmaster start, when recovery has ended, what starts the workers. Called by _PG_init in the postmaster.
void register_launcher();

} // namespace reverse_etl
