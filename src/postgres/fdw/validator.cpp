#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/options.h"
#include "postgres/fdw/statement_hooks.h"
#include "postgres/shared/worker_control.h"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

namespace {

/// The connector of the server that the running command makes or changes a user mapping for, which nobody tells the
/// validator; "" where the command is not known.
std::string connector_of_command() {
    const Node *command = running_utility();
    const char *server = nullptr;
    if (command != nullptr && IsA(command, CreateUserMappingStmt))
        server = reinterpret_cast<const CreateUserMappingStmt *>(command)->servername;
    else if (command != nullptr && IsA(command, AlterUserMappingStmt))
        server = reinterpret_cast<const AlterUserMappingStmt *>(command)->servername;
    if (server == nullptr)
        return "";
    ForeignServer *found = pg_call([&] { return GetForeignServerByName(server, true); });
    ListCell *cell;
    foreach (cell, found != nullptr ? found->options : NIL) {
        auto *option = static_cast<DefElem *>(lfirst(cell));
        if (ServerText(option->defname).bytes() == "connector")
            return option_text(option).utf8();
    }
    return "";
}

} // namespace

/// CREATE FOREIGN DATA WRAPPER ... VALIDATOR: options text[], oid of the catalog they stand in
SQL_FUNCTION(reverse_etl_fdw_validator) {
    guard([&] {
        List *list = pg_call([&] { return untransformRelOptions(PG_GETARG_DATUM(0)); });
        Oid catalog = PG_GETARG_OID(1);
        Settings options;
        ListCell *cell;
        foreach (cell, list) {
            auto *option = static_cast<DefElem *>(lfirst(cell));
            options[ServerText(option->defname).utf8()] = option->arg == nullptr ? "" : option_text(option).utf8();
        }
        // What delivers queued rows goes by the changed options, and tries again where the old ones were at fault.
        if (catalog != AttributeRelationId && wake_worker())
            wake_worker_at_commit();
        if (catalog == ForeignServerRelationId)
            validate_options(options, OptionPlace::server);
        else if (catalog == ForeignTableRelationId)
            validate_options(options, OptionPlace::table);
        else if (catalog == AttributeRelationId)
            validate_options(options, OptionPlace::column);
        else if (catalog == UserMappingRelationId)
            validate_options(options, OptionPlace::user_mapping, connector_of_command());
        else if (!options.empty())
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME, "invalid option \"" + options.begin()->first + "\"", "",
                        "The foreign data wrapper itself has no options.");
    });
    PG_RETURN_VOID();
}

} // namespace reverse_etl
