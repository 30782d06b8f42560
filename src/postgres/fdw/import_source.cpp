#include "postgres/fdw/import_source.h"

#include "engine/manifest/column_names.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/fdw/import_comments.h"
#include "postgres/sources/source_catalog.h"

extern "C" {
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
}

namespace reverse_etl {

namespace {

/// A table of Postgres has no room for more.
void leave_out_columns(SourceTable &table) {
    if (table.columns.size() <= most_columns)
        return;
    const std::string name = table.name, left_out = std::to_string(table.columns.size() - most_columns);
    table.columns.resize(most_columns);
    pg_call([&] {
        ereport(WARNING,
                (errmsg("table \"%s\" of the source has %s columns more than a table may have", name, left_out),
                 errhint("Read those that you need by a query: reverse_etl.import_query.")));
    });
}

} // namespace

bool is_wanted(const ImportForeignSchemaStmt *statement, const std::string &table) {
    return pg_call([&] {
        return IsImportableForeignTable(to_server(table).c_str(), const_cast<ImportForeignSchemaStmt *>(statement));
    });
}

List *import_source_schema(const ImportForeignSchemaStmt *statement, Oid server, const std::string &schema) {
    const SourceCatalog catalog(server, GetUserId());
    const std::string local_schema = ServerText(statement->local_schema).utf8();
    std::vector<ImportedComment> comments;
    List *commands = NIL;
    FreeNames tables;
    bool has_any = false;
    for (SourceTable &table : catalog.tables(schema)) {
        has_any = true;
        const std::string name = tables.name_for(table.name);
        if (!is_wanted(statement, name))
            continue;
        leave_out_columns(table);
        FreeNames names = names_of_columns();
        const std::string columns = joined(table.columns, ", ", [&](const SourceColumn &column) {
            const std::string column_name = names.name_for(column.field);
            if (!column.description.empty())
                comments.push_back({name, column_name, column.description});
            return definition_of(column, column_name);
        });
        const std::string command = "CREATE FOREIGN TABLE " + quoted_name(local_schema) + "." + quoted_name(name) +
                                    " (" + columns + ") SERVER " + quoted_name(server_name(server)) +
                                    " OPTIONS (object " + quoted_text(table.name) + ", schema_name " +
                                    quoted_text(schema) + ")";
        commands = pg_call([&] { return lappend(commands, pstrdup(to_server(command).c_str())); });
    }
    if (!has_any)
        throw Error(ERRCODE_FDW_SCHEMA_NOT_FOUND,
                    "server \"" + server_name(server) + "\" has no tables in schema \"" + schema + "\"",
                    "There is none of that name, or the role may not see what is in it.",
                    "Names of schemas are compared as they are written: quote those in upper case.");
    import_comments::keep(server, local_schema, std::move(comments));
    return commands;
}

} // namespace reverse_etl
