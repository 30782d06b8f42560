/// Where the library is preloaded, the launcher starts the worker of each database when the server has started. A
/// worker that finds no extension in its database ends at once. Elsewhere workers are started when they are needed.

#include "postgres/border/compat.h"
#include "postgres/shared/worker_control.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "nodes/pg_list.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#pragma GCC visibility push(default)
void reverse_etl_launcher_main(Datum);
#pragma GCC visibility pop
}

using namespace reverse_etl;

namespace {

/// Workers that end at once make room for others.
constexpr int most_attempts = 60;
constexpr long pause_ms = 500;

struct Database {
    Oid oid, tablespace;
};

List *databases() {
    List *found = NIL;
    StartTransactionCommand();
    (void)GetTransactionSnapshot();
    Relation catalog = table_open(DatabaseRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple tuple = systable_getnext(scan)) {
        auto *row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
        if (!row->datallowconn || row->datistemplate)
            continue;
        auto *database = static_cast<Database *>(MemoryContextAlloc(TopMemoryContext, sizeof(Database)));
        *database = {row->oid, row->dattablespace};
        MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
        found = lappend(found, database);
        MemoryContextSwitchTo(caller);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    CommitTransactionCommand();
    return found;
}

bool start_soon(const Database &database) {
    for (int attempt = 0; attempt < most_attempts; attempt++) {
        if (start_worker(database.oid, database.tablespace))
            return true;
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause_ms, compat::wait_event());
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
    return false;
}

} // namespace

void reverse_etl_launcher_main(Datum) {
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    ListCell *cell;
    foreach (cell, databases()) {
        auto *database = static_cast<Database *>(lfirst(cell));
        if (!start_soon(*database))
            ereport(WARNING,
                    (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                     errmsg("no background worker of reverse_etl for database %u: none is left", database->oid),
                     errhint("You might need to increase \"max_worker_processes\".")));
    }
    proc_exit(0); // not to be restarted
}
