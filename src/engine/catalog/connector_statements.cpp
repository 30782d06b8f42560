#include "engine/catalog/connector_page.h"

#include <algorithm>
#include <utility>

namespace reverse_etl {

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

std::string literal(const std::string &value) {
    std::string quoted = "'";
    for (const char sign : prose(value))
        quoted += sign == '\'' ? std::string("''") : std::string(1, sign);
    return quoted + "'";
}

/// OPTIONS (...), of which each line has as many as fit.
void add_lines(std::vector<std::string> &lines, const std::string &begin, const Options &options) {
    constexpr std::size_t most_characters = 76;
    lines.push_back(begin);
    std::string line = "    OPTIONS (";
    for (std::size_t i = 0; i < options.size(); i++) {
        const std::string option =
            options[i].first + " " + literal(options[i].second) + (i + 1 < options.size() ? "," : ");");
        const bool is_first = line.ends_with('(') || line.ends_with("    ");
        if (!is_first && line.size() + 1 + option.size() > most_characters) {
            lines.push_back(line);
            line = std::string(13, ' ');
        }
        line += (line.ends_with(',') ? " " : "") + option;
    }
    lines.push_back(line);
}

/// What CREATE SERVER cannot do without.
Options server_options(const Connector &connector, const ConnectorFacts &facts) {
    Options options = {{"connector", connector.name()}};
    if (facts.is_of_user)
        options.emplace_back("base_url", typical_url);
    if (connector.reads_folder())
        options.emplace_back("folder", "/srv/lake");
    for (const OptionSpec &option : connector.options())
        if (option.on_server && (option.required || (!option.fallback && !option.example.empty())))
            options.emplace_back(option.name, typical_value(option));
    return options;
}

/// Those of the first way to sign in.
Options credentials(const Connector &connector) {
    Options options;
    const std::vector<std::string> &first = connector.auth().front().credentials;
    for (const CredentialSpec &one : connector.credentials())
        if (std::find(first.begin(), first.end(), one.name) != first.end())
            options.emplace_back(one.name, one.example.empty() ? "..." : one.example);
    return options;
}

/// Whether there is something that IMPORT FOREIGN SCHEMA makes tables of.
bool has_tables(const Connector &connector, const ConnectorFacts &facts) {
    return connector.account_objects(typical_settings(connector)).has_value() ||
           std::any_of(facts.objects.begin(), facts.objects.end(), [](const Object &object) {
               return object.name != "*" && (!object.columns.empty() || object.discovery != nullptr);
           });
}

std::vector<std::string> table_statements(const Connector &connector, const ConnectorFacts &facts,
                                          const QuoteName &quoted_name) {
    const std::string name = quoted_name(connector.name());
    std::vector<std::string> lines = {"CREATE SCHEMA " + name + ";"};
    if (has_tables(connector, facts)) {
        lines.push_back("IMPORT FOREIGN SCHEMA " + quoted_name(connector.schema()));
        lines.push_back("    FROM SERVER " + name + " INTO " + name + ";");
        return lines;
    }
    Options options;
    if (connector.has_statement())
        options.emplace_back("query", "SELECT email, name FROM people");
    else if (connector.reads_folder())
        options.emplace_back("files", "people/*.csv.gz");
    else
        options.emplace_back("object", facts.objects.front().name);
    for (const OptionSpec &option : connector.options())
        if (!option.on_server && option.required)
            options.emplace_back(option.name, typical_value(option));
    if (!connector.has_statement() && !connector.reads_folder())
        options.emplace_back("key", "email");
    lines.push_back("CREATE FOREIGN TABLE " + name + ".people (email text, name text)");
    add_lines(lines, "    SERVER " + name, options);
    return lines;
}

} // namespace

void add_statements(Page &page, const Connector &connector, const ConnectorFacts &facts, const QuoteName &quoted_name) {
    const std::string name = quoted_name(connector.name());
    std::vector<std::string> lines = {"CREATE EXTENSION IF NOT EXISTS reverse_etl;"};
    add_lines(lines, "CREATE SERVER " + name + " FOREIGN DATA WRAPPER reverse_etl", server_options(connector, facts));
    const std::string mapping = "CREATE USER MAPPING FOR CURRENT_USER SERVER " + name;
    if (const Options options = credentials(connector); options.empty())
        lines.push_back(mapping + ";");
    else
        add_lines(lines, mapping, options);
    page.heading("What to type");
    page.statements(lines);
    page.statements(table_statements(connector, facts, quoted_name));
    if (connector.has_statement())
        page.paragraph(
            "SQL runs there: IMPORT FOREIGN SCHEMA with the name of one of its schemas makes tables that are read "
            "so, and reverse_etl.import_query makes one of a query.");
    if (connector.has_files())
        page.paragraph(
            "Files are read by a table with the option files, and reverse_etl.import_files makes one with the "
            "columns that it finds in them.");
}

} // namespace reverse_etl
