#include "postgres/fdw/fdw.h"

#include "engine/text/lower_case.h"
#include "postgres/border/border.h"
#include "postgres/border/injection_point.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/connectors.h"

extern "C" {
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

namespace {

/// The name that the object's table gets: lower case, so that SQL need not quote it.
std::string table_name(const std::string &object) {
    return lower_case(object);
}

std::string create_statement(const Object &object, const std::string &schema, const std::string &server) {
    std::string statement =
        "CREATE FOREIGN TABLE " + quoted_name(schema) + "." + quoted_name(table_name(object.name)) + " (";
    bool first = true;
    for (const ColumnSpec &column : object.columns) {
        statement += (first ? "" : ", ") + quoted_name(column.column) + " " + column.type;
        if (column.field != column.column)
            statement += " OPTIONS (field " + quoted_text(column.field) + ")";
        first = false;
    }
    return statement + ") SERVER " + quoted_name(server) + " OPTIONS (object " + quoted_text(object.name) + ")";
}

bool is_wanted(const ImportForeignSchemaStmt *statement, const std::string &table) {
    return pg_call([&] {
        return IsImportableForeignTable(to_server(table).c_str(), const_cast<ImportForeignSchemaStmt *>(statement));
    });
}

} // namespace

List *import_schema(ImportForeignSchemaStmt *statement, Oid server) {
    return guard([&] {
        INJECTION_POINT("import_schema");
        ForeignServer *foreign_server = pg_call([&] { return GetForeignServer(server); });
        Settings settings;
        ListCell *cell;
        foreach (cell, foreign_server->options) {
            auto *option = static_cast<DefElem *>(lfirst(cell));
            settings[ServerText(option->defname).utf8()] = option_text(option).utf8();
        }
        if (statement->options != NIL) {
            auto *option = static_cast<DefElem *>(linitial(statement->options));
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME,
                        "invalid option \"" + ServerText(option->defname).utf8() + "\"", "",
                        "IMPORT FOREIGN SCHEMA takes no options here.");
        }
        std::shared_ptr<const Connector> connector = find_connector(settings["connector"]);
        std::string remote_schema = ServerText(statement->remote_schema).utf8();
        if (connector->schema() != remote_schema && connector->name() != remote_schema)
            throw Error(ERRCODE_FDW_SCHEMA_NOT_FOUND,
                        "schema \"" + remote_schema + "\" does not exist at server \"" + server_name(server) + "\"", "",
                        "The schema of connector \"" + connector->name() + "\" is \"" + connector->schema() + "\".");
        List *commands = NIL;
        for (const std::string &name : connector->object_names()) {
            Object object = connector->object(name, settings);
            if (object.columns.empty() || !is_wanted(statement, table_name(name)))
                continue;
            std::string command =
                create_statement(object, ServerText(statement->local_schema).utf8(), server_name(server));
            commands = pg_call([&] { return lappend(commands, const_cast<char *>(to_server(command).c_str())); });
        }
        if (commands == NIL && statement->list_type == FDW_IMPORT_SCHEMA_ALL)
            throw Error(ERRCODE_FDW_NO_SCHEMAS, "connector \"" + connector->name() + "\" has no tables to import", "",
                        "Its objects have the columns you give them: use CREATE FOREIGN TABLE.");
        return commands;
    });
}

} // namespace reverse_etl
