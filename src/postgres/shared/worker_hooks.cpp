#include "postgres/shared/worker_hooks.h"

#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/shared/shared_memory.h"
#include "postgres/shared/worker_control.h"
#include "postgres/shared/worker_status.h"

#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

ProcessUtility_hook_type next_process_utility = nullptr;

const char *value_of(List *options, const char *name) {
    ListCell *cell;
    foreach (cell, options) {
        auto *option = lfirst_node(DefElem, cell);
        if (std::strcmp(option->defname, name) == 0)
            return option->arg == nullptr ? nullptr : defGetString(option);
    }
    return nullptr;
}

/// The database that the statement needs without any session; nullptr if there is none.
const char *vacated_database(Node *statement) {
    switch (nodeTag(statement)) {
    case T_DropdbStmt:
        return reinterpret_cast<DropdbStmt *>(statement)->dbname;
    case T_CreatedbStmt: {
        const char *source = value_of(reinterpret_cast<CreatedbStmt *>(statement)->options, "template");
        return source != nullptr ? source : "template1";
    }
    case T_AlterDatabaseStmt: {
        auto *alter = reinterpret_cast<AlterDatabaseStmt *>(statement);
        return value_of(alter->options, "tablespace") != nullptr ? alter->dbname : nullptr;
    }
    case T_RenameStmt: {
        auto *rename = reinterpret_cast<RenameStmt *>(statement);
        return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
    }
    default:
        return nullptr;
    }
}

struct Database {
    Oid oid = InvalidOid, tablespace = InvalidOid, owner = InvalidOid;
};

Database read_database(Oid oid) {
    Database database;
    HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        return database;
    auto *row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    database = {oid, row->dattablespace, row->datdba};
    ReleaseSysCache(tuple);
    return database;
}

/// The worker of the database that the statement needs for itself, for those who may have it; no database for others.
Database database_to_vacate(Node *statement) {
    const char *name = vacated_database(statement);
    if (name == nullptr)
        return {};
    Database database = read_database(get_database_oid(name, true));
    if (!OidIsValid(database.oid) || !has_privs_of_role(GetUserId(), database.owner))
        return {};
    return database;
}

/// Whether foreign tables may go with it.
bool drops_destinations(ObjectType kind) {
    return kind == OBJECT_FOREIGN_TABLE || kind == OBJECT_FOREIGN_SERVER || kind == OBJECT_FDW ||
           kind == OBJECT_SCHEMA || kind == OBJECT_EXTENSION;
}

/// Whether the worker has to look at what waits: rows of a transaction that was prepared, perhaps by another session,
/// can be seen now, or what keeps a destination from being used may have been mended, or a destination is gone. That is
/// told nobody who sleeps.
bool concerns_worker(Node *statement) {
    switch (nodeTag(statement)) {
    case T_TransactionStmt:
        return reinterpret_cast<TransactionStmt *>(statement)->kind == TRANS_STMT_COMMIT_PREPARED;
    case T_AlterTableStmt:
        return reinterpret_cast<AlterTableStmt *>(statement)->objtype == OBJECT_FOREIGN_TABLE;
    case T_DropStmt:
        return drops_destinations(reinterpret_cast<DropStmt *>(statement)->removeType);
    case T_DropOwnedStmt:
    case T_CreateUserMappingStmt:
    case T_AlterUserMappingStmt:
    case T_AlterForeignServerStmt:
        return true;
    default:
        return false;
    }
}

/// Whether this extension goes, for those who may drop it: nobody else keeps others from it.
bool drops_extension(Node *statement) {
    if (!IsA(statement, DropStmt) || reinterpret_cast<DropStmt *>(statement)->removeType != OBJECT_EXTENSION ||
        !superuser())
        return false;
    ListCell *cell;
    foreach (cell, reinterpret_cast<DropStmt *>(statement)->objects)
        if (std::strcmp(string_text(lfirst(cell)).c_str(), "reverse_etl") == 0)
            return true;
    return false;
}

/// A database that is still there gets back the worker that made room; nothing is left of one that is gone.
void look_after(Oid oid, bool stopped) {
    CommandCounterIncrement();
    Database left = read_database(oid);
    if (!OidIsValid(left.oid))
        guard([&] { shared_memory::forget_database(oid); });
    else if (stopped)
        start_worker(left.oid, left.tablespace);
}

void process_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
                     ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                     QueryCompletion *completion) {
    auto next = next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    Database database = database_to_vacate(statement->utilityStmt);
    // Before it runs: a statement that ends the transaction takes its own text and tree along.
    bool concerned = concerns_worker(statement->utilityStmt);
    bool brings_rows = IsA(statement->utilityStmt, TransactionStmt);
    volatile bool stopped = false;
    PG_TRY();
    {
        stopped = OidIsValid(database.oid) && ask_worker_to_end(database.oid);
        if (stopped)
            wait_for_end_of_worker(database.oid);
        if (drops_extension(statement->utilityStmt))
            own_locks::drop_extension();
        next(statement, text, read_only_tree, context, parameters, environment, receiver, completion);
    }
    PG_CATCH();
    {
        if (stopped)
            start_worker(database.oid, database.tablespace);
        PG_RE_THROW();
    }
    PG_END_TRY();
    if (OidIsValid(database.oid))
        look_after(database.oid, stopped);
    // While rows wait there is a worker, so only new rows are a reason to start one.
    if (concerned && (nudge_worker() || (brings_rows && OidIsValid(get_extension_oid("reverse_etl", true)))))
        guard([] { wake_worker_at_commit(); });
}

} // namespace

void install_worker_hooks() {
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
}

} // namespace reverse_etl
