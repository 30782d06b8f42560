#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql.h"
#include "postgres/border/sql_function.h"
#include "postgres/fdw/statement_hooks.h"

#include <string>
#include <vector>

extern "C" {
#include "access/htup_details.h"
#include "catalog/namespace.h"
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

/// What a command names, without their schemas: the search path of whoever runs it is not known here.
struct NamedObjects {
    std::vector<std::string> relations, others;
    std::vector<Oid> schemas;

    void add_relation(const RangeVar *relation) {
        if (relation != nullptr)
            relations.push_back(ServerText(relation->relname).utf8());
    }
    void add_schema(const char *name) {
        Oid found = pg_call([&] { return get_namespace_oid(name, true); });
        if (OidIsValid(found))
            schemas.push_back(found);
    }
    static void add_name(List *qualified, std::vector<std::string> &to) {
        if (qualified != NIL && IsA(llast(qualified), String))
            to.push_back(string_text(llast(qualified)).utf8());
    }
};

bool is_relation(ObjectType type) {
    return type == OBJECT_TABLE || type == OBJECT_FOREIGN_TABLE || type == OBJECT_VIEW || type == OBJECT_MATVIEW;
}

void add_dropped(const DropStmt *drop, NamedObjects &named) {
    ListCell *cell;
    foreach (cell, drop->objects) {
        auto *object = static_cast<Node *>(lfirst(cell));
        if (drop->removeType == OBJECT_SCHEMA)
            named.add_schema(string_text(object).c_str());
        else if (is_relation(drop->removeType))
            NamedObjects::add_name(reinterpret_cast<List *>(object), named.relations);
        else if (IsA(object, ObjectWithArgs))
            NamedObjects::add_name(reinterpret_cast<ObjectWithArgs *>(object)->objname, named.others);
        else if (IsA(object, TypeName))
            NamedObjects::add_name(reinterpret_cast<TypeName *>(object)->names, named.others);
        else if (IsA(object, List))
            NamedObjects::add_name(reinterpret_cast<List *>(object), named.others);
    }
}

NamedObjects named_by(Node *command) {
    NamedObjects named;
    if (command == nullptr)
        return named;
    switch (nodeTag(command)) {
    case T_AlterTableStmt:
        named.add_relation(reinterpret_cast<AlterTableStmt *>(command)->relation);
        break;
    case T_AlterObjectSchemaStmt:
        named.add_relation(reinterpret_cast<AlterObjectSchemaStmt *>(command)->relation);
        break;
    case T_ViewStmt:
        named.add_relation(reinterpret_cast<ViewStmt *>(command)->view);
        break;
    case T_RenameStmt: {
        auto *rename = reinterpret_cast<RenameStmt *>(command);
        if (rename->renameType == OBJECT_SCHEMA)
            named.add_schema(rename->subname);
        else
            named.add_relation(rename->relation);
        break;
    }
    case T_DropStmt:
        add_dropped(reinterpret_cast<DropStmt *>(command), named);
        break;
    default:
        break;
    }
    return named;
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

Datum running_command(FunctionCallInfo call) {
    TupleDesc descriptor = nullptr;
    if (pg_call([&] { return get_call_result_type(call, nullptr, &descriptor); }) != TYPEFUNC_COMPOSITE)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "parse_running_command returns a record");
    Node *running = running_utility();
    std::vector<Oid> roles = disowned(running);
    NamedObjects named = named_by(running);
    Datum values[] = {BoolGetDatum(cascades(running)), BoolGetDatum(may_matter(running)), oid_array(roles, OIDOID),
                      text_array(named.relations),     oid_array(named.schemas, OIDOID),  text_array(named.others)};
    bool nulls[6] = {};
    return pg_call([&] { return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)); });
}

} // namespace

/// reverse_etl_internal.parse_running_command(): what the event triggers have to know of the command that fires them,
/// and the server does not tell in SQL
SQL_FUNCTION(reverse_etl_parse_running_command) {
    return guard([&] { return running_command(fcinfo); });
}

} // namespace reverse_etl
