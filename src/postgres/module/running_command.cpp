#include "postgres/module/running_command.h"

#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/fdw/statement_hooks.h"

#include <vector>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/portal.h"
}

namespace reverse_etl {

namespace {

/// nullptr where nobody knows: a function runs it, and before it the session had no need of this library.
Node *command() {
    if (Node *running = running_utility())
        return running;
    if (ActivePortal == nullptr || list_length(ActivePortal->stmts) != 1)
        return nullptr;
    Node *statement = linitial_node(PlannedStmt, ActivePortal->stmts)->utilityStmt;
    return statement != nullptr && GetCommandLogLevel(statement) == LOGSTMT_DDL ? statement : nullptr;
}

/// Whether a command that drops things drops what depends on them as well.
bool cascades(const Node *command) {
    if (command == nullptr)
        return false;
    if (IsA(command, DropStmt))
        return reinterpret_cast<const DropStmt *>(command)->behavior == DROP_CASCADE;
    if (IsA(command, AlterTableStmt)) {
        ListCell *cell;
        foreach (cell, reinterpret_cast<const AlterTableStmt *>(command)->cmds)
            if (static_cast<AlterTableCmd *>(lfirst(cell))->behavior == DROP_CASCADE)
                return true;
        return false;
    }
    return IsA(command, DropOwnedStmt);
}

/// Whether a command may change what a query yields, or which columns name the rows.
bool may_matter(const Node *command) {
    if (command == nullptr || !IsA(command, AlterTableStmt))
        return true;
    ListCell *cell;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(command)->cmds) {
        AlterTableType kind = static_cast<AlterTableCmd *>(lfirst(cell))->subtype;
        if (kind == AT_AlterColumnType || kind == AT_GenericOptions || kind == AT_AlterColumnGenericOptions)
            return true;
    }
    return false;
}

/// The roles of DROP OWNED.
std::vector<Oid> disowned(const Node *command) {
    std::vector<Oid> roles;
    if (command == nullptr || !IsA(command, DropOwnedStmt))
        return roles;
    ListCell *cell;
    foreach (cell, reinterpret_cast<const DropOwnedStmt *>(command)->roles) {
        auto *role = static_cast<RoleSpec *>(lfirst(cell));
        roles.push_back(pg_call([&] { return get_rolespec_oid(role, false); }));
    }
    return roles;
}

} // namespace

Datum running_command(FunctionCallInfo call) {
    TupleDesc descriptor = nullptr;
    if (pg_call([&] { return get_call_result_type(call, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "parse_running_command returns a record");
    const Node *running = command();
    std::vector<Oid> roles = disowned(running);
    Datum values[] = {BoolGetDatum(cascades(running)), BoolGetDatum(may_matter(running)),
                      pg_call([&] { return sql::oids(roles).value; })};
    bool nulls[3] = {};
    return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
}

} // namespace reverse_etl
