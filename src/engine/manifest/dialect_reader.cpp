#include "engine/manifest/dialect_reader.h"

#include "engine/manifest/condition_reader.h"
#include "engine/manifest/format_reader.h"
#include "engine/manifest/source_types_reader.h"
#include "engine/text/placeholders.h"

#include <map>
#include <string>

namespace reverse_etl {

namespace {

/// Bytes: no source takes less.
constexpr std::size_t longest_statement = 100'000;

constexpr PlaceholderNames of_table = {"{object}", "{statement.schema}"};

/// The parts of a table's name.
std::vector<std::string> read_relation(const ManifestNode &node, PlaceholderNames names) {
    std::vector<std::string> parts;
    for (const ManifestNode &part : node.one_or_many())
        parts.push_back(part.template_text(names));
    if (parts.empty() || parts.size() > 4)
        node.fail("must have 1 to 4 parts");
    return parts;
}

/// A piece of SQL with these placeholders in it.
std::string sql_with(const ManifestNode &node, PlaceholderNames names) {
    const std::string text = node.template_text(names);
    for (const char *name : names)
        if (text.find(name) == text.npos)
            node.fail(std::string("must hold \"") + name + "\"");
    return text;
}

void read_parameters(const ManifestNode &node, DialectSpec &dialect) {
    node.only({"marker", "value", "escape", "bound", "types"});
    if (node.has("marker"))
        dialect.marker = node.at("marker").template_text({"{number}", "{type}"});
    if (node.has("value"))
        dialect.value = sql_with(node.at("value"), {"{value}"});
    if (node.has("escape"))
        dialect.escape = read_escapes(node.at("escape"));
    if (node.has("bound"))
        dialect.bound = sql_with(node.at("bound"), {"{statement.sql}", "{values}"});
    for (const auto &[name, type] : node.at("types").members()) {
        if (name == "$note")
            continue;
        const Json written = name;
        read_source_type_name(ManifestNode(written, type.pointer()));
        ParameterType parameter;
        if (type.value().is_object()) {
            type.only({"type", "sql", "only"});
            parameter.type = type.text("type", "");
            parameter.sql = sql_with(type.at("sql"), {"{parameter}"});
            if (type.has("only"))
                parameter.only = read_pattern(type.at("only"));
        } else {
            parameter = {type.text_of_something(), "{parameter}"};
        }
        dialect.parameters.emplace(name, std::move(parameter));
    }
}

/// Expressions around a "{column}", by the Postgres type.
std::map<std::string, std::string> read_expressions(const ManifestNode &node, const char *member) {
    std::map<std::string, std::string> expressions;
    if (!node.has(member))
        return expressions;
    for (const auto &[name, expression] : node.at(member).members()) {
        if (name == "$note")
            continue;
        const Json written = name;
        read_source_type_name(ManifestNode(written, expression.pointer()));
        expressions.emplace(name, sql_with(expression, {"{column}"}));
    }
    return expressions;
}

RowHashSpec read_row_hash(const ManifestNode &node) {
    node.only({"sql", "sum", "longest", "text"});
    RowHashSpec hash;
    hash.sql = sql_with(node.at("sql"), {"{text}"});
    hash.sum = node.has("sum") ? sql_with(node.at("sum"), {"{hash}"}) : "SUM({hash})";
    hash.longest = node.has("longest") ? node.at("longest").positive_integer() : longest_statement;
    if (hash.longest < 10'000)
        node.at("longest").fail("must be at least 10000");
    node.at("text");
    hash.texts = read_expressions(node, "text");
    return hash;
}

} // namespace

DialectSpec read_dialect(const ManifestNode &node) {
    node.only(
        {"quote", "fold", "relation", "schema", "parameters", "select", "like", "exact", "sum", "min", "max", "hash"});
    DialectSpec dialect;
    if (node.has("quote"))
        dialect.quote = node.at("quote").one_of({"\"", "`"}) == 1 ? "`" : "\"";
    if (node.has("fold"))
        dialect.folds_to_upper = node.at("fold").one_of({"none", "upper"}) == 1;
    dialect.relation = read_relation(node.at("relation"), of_table);
    if (node.has("schema"))
        dialect.schema = node.at("schema").literal();
    if (node.has("parameters"))
        read_parameters(node.at("parameters"), dialect);
    dialect.select = read_expressions(node, "select");
    dialect.exact = read_expressions(node, "exact");
    dialect.sum = read_expressions(node, "sum");
    if (node.has("like"))
        dialect.like = sql_with(node.at("like"), {"{column}", "{pattern}"});
    if (node.has("min"))
        dialect.minimum = sql_with(node.at("min"), {"{column}"});
    if (node.has("max"))
        dialect.maximum = sql_with(node.at("max"), {"{column}"});
    if (node.has("hash"))
        dialect.hash = read_row_hash(node.at("hash"));
    return dialect;
}

SourceCatalogSpec read_source_catalog(const ManifestNode &node) {
    node.only({"relation", "sql", "types"});
    SourceCatalogSpec catalog;
    catalog.relation = read_relation(node.at("relation"), {"{statement.schema}"});
    catalog.sql = node.at("sql").template_text({"{catalog.relation}", "{catalog.schema}"});
    if (catalog.sql.find("{catalog.relation}") == catalog.sql.npos)
        node.at("sql").fail("must hold \"{catalog.relation}\"");
    catalog.types = read_source_types(node.at("types"));
    return catalog;
}

} // namespace reverse_etl
