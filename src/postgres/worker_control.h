#pragma once

#include "postgres/postgres.h"

namespace reverse_etl {

/// The background worker of this session's database, as other processes see it. It needs no shared memory: it is found
/// among the processes, and woken by its latch.

/// Wakes the worker if it runs. Never raises. Whether it runs.
bool wake_worker();

/// Wakes the worker once this transaction has committed, and starts it if it does not run. May raise: a WARNING tells
/// when no worker can be started.
void wake_worker_at_commit();

/// Starts the worker unless it runs, and waits until it does, 10 seconds at most. Throws an Error when it cannot be
/// started. Not to be called in the transaction that creates the extension.
void require_worker();

/// Asks Postgres to start the worker of a database; whether there was room for it.
bool start_worker(Oid database, Oid tablespace);

/// Ends the worker of a database that is to be dropped, renamed or copied, and waits until it has gone.
void stop_worker(Oid database);

/// Makes the postmaster start, when recovery has ended, what starts the workers. Called by _PG_init in the postmaster.
void register_launcher();

} // namespace reverse_etl
