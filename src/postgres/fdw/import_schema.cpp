#include "postgres/fdw/fdw.h"

#include "engine/text/lower_case.h"
#include "postgres/border/border.h"
#include "postgres/border/injection_point.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/found_columns.h"
#include "postgres/fdw/import_comments.h"
#include "postgres/fdw/import_source.h"

#include <algorithm>

extern "C" {
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

namespace {

/// Whether the account is asked for what the connector does not list.
enum class Discover { if_possible, yes, no };

struct Import {
    const ImportForeignSchemaStmt *statement;
    Oid server;
    std::shared_ptr<const Connector> connector;
    Settings settings;
    Discover discover = Discover::if_possible;

    std::string schema() const { return ServerText(statement->local_schema).utf8(); }
};

/// An object that becomes a table.
struct Wanted {
    std::string table;
    std::shared_ptr<const Object> object;
};

Discover read_options(const ImportForeignSchemaStmt *statement) {
    Discover discover = Discover::if_possible;
    ListCell *cell;
    foreach (cell, statement->options) {
        auto *option = static_cast<DefElem *>(lfirst(cell));
        if (ServerText(option->defname).bytes() != "discover")
            throw Error(ERRCODE_FDW_INVALID_OPTION_NAME,
                        "invalid option \"" + ServerText(option->defname).utf8() + "\"", "",
                        "IMPORT FOREIGN SCHEMA takes the option \"discover\" here.");
        discover = pg_call([&] { return defGetBoolean(option); }) ? Discover::yes : Discover::no;
    }
    return discover;
}

std::string create_statement(const Import &import, const Wanted &wanted, const std::vector<TableColumn> &columns) {
    return "CREATE FOREIGN TABLE " + quoted_name(import.schema()) + "." + quoted_name(wanted.table) + " (" +
           joined(columns, ", ", [](const TableColumn &column) { return column.definition; }) + ") SERVER " +
           quoted_name(server_name(import.server)) + " OPTIONS (object " + quoted_text(wanted.object->name) + ")";
}

/// Whether a list of names in the statement leaves something for the account to tell.
bool may_name_others(const Import &import, const std::set<std::string> &listed) {
    if (import.statement->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
        return true;
    ListCell *cell;
    foreach (cell, import.statement->table_list)
        if (!listed.contains(ServerText(static_cast<RangeVar *>(lfirst(cell))->relname).utf8()))
            return true;
    return false;
}

std::shared_ptr<const Object> object_of(const Import &import, const std::string &name) {
    return std::make_shared<const Object>(import.connector->object(name, import.settings));
}

/// The objects that the manifest lists, and those that the account has besides.
std::vector<Wanted> wanted_objects(const Import &import, const Account &account) {
    std::vector<Wanted> wanted;
    std::set<std::string> objects, tables;
    FreeNames names;
    auto add = [&](const std::string &object, const std::string &table) {
        objects.insert(object);
        tables.insert(table);
        names.take(table);
        if (is_wanted(import.statement, table))
            wanted.push_back({table, object_of(import, object)});
    };
    for (const std::string &name : import.connector->object_names())
        add(name, as_name(lower_case(name)));
    const std::optional<AccountObjects> others = import.connector->account_objects(import.settings);
    if (!others || import.discover == Discover::no || !may_name_others(import, tables) ||
        (import.discover == Discover::if_possible && !account.has_credentials(others->object)))
        return wanted;
    for (const FoundObject &found : account.objects(*others))
        if (!objects.contains(found.name) && import.connector->has_object(found.name) &&
            storable(found.name + found.table) == found.name + found.table)
            add(found.name, names.name_for(found.table));
    return wanted;
}

void tell_of_missing_credentials(const Import &import) {
    const std::string role = role_name(GetUserId()), server = server_name(import.server);
    pg_call([&] {
        ereport(NOTICE, (errmsg("server \"%s\" was not asked for what its account has besides", server),
                         errdetail("Role \"%s\" has no user mapping for it.", role),
                         errhint("reverse_etl.refresh_columns adds to a table what the account has.")));
    });
}

/// Writes the statements that make the tables.
class Tables {
  public:
    explicit Tables(const Import &import) : import_(import) {}

    void add(const Wanted &wanted, std::vector<FoundField> &found) {
        std::vector<TableColumn> columns;
        std::set<std::string> fields;
        FreeNames names = names_of_columns();
        for (const ColumnSpec &spec : wanted.object->columns) {
            columns.push_back(listed_column(spec));
            fields.insert(spec.field);
            names.take(as_name(spec.column));
        }
        FoundColumns further = found_columns(*wanted.object, found, std::move(fields), std::move(names),
                                             most_columns - std::min(most_columns, columns.size()));
        warn_of_left_out(wanted.object->name, further);
        std::move(further.columns.begin(), further.columns.end(), std::back_inserter(columns));
        if (columns.empty())
            return; // those that somebody gives the table
        const std::string command = create_statement(import_, wanted, columns);
        commands_ = pg_call([&] { return lappend(commands_, const_cast<char *>(to_server(command).c_str())); });
        for (const TableColumn &column : columns)
            if (!column.comment.empty())
                comments_.push_back({wanted.table, column.name, column.comment});
    }

    /// The statements; the comments are kept for the end of the command.
    List *finish() {
        import_comments::keep(import_.server, import_.schema(), std::move(comments_));
        return commands_;
    }

  private:
    const Import &import_;
    List *commands_ = NIL;
    std::vector<ImportedComment> comments_;
};

/// Asks for the fields of those objects that have more than the manifest says.
void add_tables(const Import &import, const Account &account, const std::vector<Wanted> &wanted, Tables &tables) {
    std::vector<std::shared_ptr<const Object>> asked;
    std::vector<const Wanted *> asked_for;
    bool lacks_credentials = false;
    std::vector<FoundField> none;
    for (const Wanted &one : wanted) {
        bool asks = one.object->discovery != nullptr && import.discover != Discover::no;
        if (asks && import.discover == Discover::if_possible && !account.has_credentials(*one.object)) {
            asks = false;
            lacks_credentials = true;
        }
        if (!asks) {
            tables.add(one, none);
            continue;
        }
        asked.push_back(one.object);
        asked_for.push_back(&one);
    }
    if (lacks_credentials)
        tell_of_missing_credentials(import);
    account.fields(
        asked, [&](std::size_t position, std::vector<FoundField> &found) { tables.add(*asked_for[position], found); });
}

} // namespace

List *import_schema(ImportForeignSchemaStmt *statement, Oid server) {
    return guard([&] {
        INJECTION_POINT("import_schema");
        Import import{statement, server, nullptr, options_of_server(server), read_options(statement)};
        import.connector = find_connector(import.settings["connector"]);
        const Connector &connector = *import.connector;
        std::string remote_schema = ServerText(statement->remote_schema).utf8();
        if (connector.has_statement() && connector.name() != remote_schema)
            return import_source_schema(statement, server, remote_schema);
        if (connector.schema() != remote_schema && connector.name() != remote_schema)
            throw Error(ERRCODE_FDW_SCHEMA_NOT_FOUND,
                        "schema \"" + remote_schema + "\" does not exist at server \"" + server_name(server) + "\"", "",
                        "The schema of connector \"" + connector.name() + "\" is \"" + connector.schema() + "\".");
        const Account account(server, GetUserId(), import.settings);
        Tables tables(import);
        add_tables(import, account, wanted_objects(import, account), tables);
        List *commands = tables.finish();
        if (commands == NIL && statement->list_type == FDW_IMPORT_SCHEMA_ALL)
            throw Error(ERRCODE_FDW_NO_SCHEMAS, "connector \"" + connector.name() + "\" has no tables to import", "",
                        "Its objects have the columns you give them: use CREATE FOREIGN TABLE.");
        return commands;
    });
}

} // namespace reverse_etl
