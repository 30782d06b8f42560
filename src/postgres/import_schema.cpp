#include "postgres/fdw.h"

#include "engine/lower_case.h"
#include "postgres/border.h"
#include "postgres/connectors.h"

extern "C" {
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
}

namespace reverse_etl {

namespace {

std::string identifier(const std::string &name) {
    const char *text = name.c_str();
    return pg_call([&] { return quote_identifier(text); });
}

std::string literal(const std::string &value) {
    const char *text = value.c_str();
    return pg_call([&] { return quote_literal_cstr(text); });
}

/// The name that the object's table gets: lower case, so that SQL need not quote it.
std::string table_name(const std::string &object) {
    return lower_case(object);
}

std::string create_statement(const Object &object, const std::string &schema, const std::string &server) {
    std::string statement =
        "CREATE FOREIGN TABLE " + identifier(schema) + "." + identifier(table_name(object.name)) + " (";
    bool first = true;
    for (const ColumnSpec &column : object.columns) {
        statement += (first ? "" : ", ") + identifier(column.column) + " " + column.type;
        if (column.field != column.column)
            statement += " OPTIONS (field " + literal(column.field) + ")";
        first = false;
    }
    return statement + ") SERVER " + identifier(server) + " OPTIONS (object " + literal(object.name) + ")";
}

bool is_wanted(const ImportForeignSchemaStmt *statement, const std::string &table) {
    const char *name = table.c_str();
    return pg_call([&] { return IsImportableForeignTable(name, const_cast<ImportForeignSchemaStmt *>(statement)); });
}

} // namespace

List *import_schema(ImportForeignSchemaStmt *statement, Oid server) {
    return guard([&] {
        injection_point("import_schema");
        ForeignServer *foreign_server = pg_call([&] { return GetForeignServer(server); });
        Settings settings;
        ListCell *cell;
        foreach (cell, foreign_server->options) {
            auto *option = static_cast<DefElem *>(lfirst(cell));
            settings[option->defname] = strVal(option->arg);
        }
        if (statement->options != NIL) {
            auto *option = static_cast<DefElem *>(linitial(statement->options));
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME, std::string("invalid option \"") + option->defname + "\"", "",
                        "IMPORT FOREIGN SCHEMA takes no options here.");
        }
        std::shared_ptr<const Connector> connector = find_connector(settings["connector"]);
        if (connector->schema() != statement->remote_schema && connector->name() != statement->remote_schema)
            throw Error(ERRCODE_FDW_SCHEMA_NOT_FOUND,
                        std::string("schema \"") + statement->remote_schema + "\" does not exist at server \"" +
                            foreign_server->servername + "\"",
                        "",
                        "The schema of connector \"" + connector->name() + "\" is \"" + connector->schema() + "\".");
        List *commands = NIL;
        for (const std::string &name : connector->object_names()) {
            Object object = connector->object(name, settings);
            if (object.columns.empty() || !is_wanted(statement, table_name(name)))
                continue;
            std::string command = create_statement(object, statement->local_schema, foreign_server->servername);
            commands = pg_call([&] { return lappend(commands, pstrdup(command.c_str())); });
        }
        if (commands == NIL && statement->list_type == FDW_IMPORT_SCHEMA_ALL)
            throw Error(ERRCODE_FDW_NO_SCHEMAS, "connector \"" + connector->name() + "\" has no tables to import", "",
                        "Its objects have the columns you give them: use CREATE FOREIGN TABLE.");
        return commands;
    });
}

} // namespace reverse_etl
