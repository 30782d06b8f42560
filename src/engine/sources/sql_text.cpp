#include "engine/sources/sql_text.h"

#include "engine/text/errors.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr const char *operators[] = {"=", "<>", "<", "<=", ">", ">="};

/// The expression that stands for one more parameter.
std::string add_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value,
                          std::vector<StatementParameter> &parameters) {
    const ParameterType &of_type = dialect.parameters.at(type);
    parameters.push_back({of_type.type, value});
    return filled(of_type.sql, "parameter", filled(dialect.marker, "number", std::to_string(parameters.size())));
}

void append_condition(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql) {
    const std::string column = quoted(dialect, condition.field);
    switch (condition.comparison) {
    case SqlComparison::is_null:
        sql.text += column + " IS NULL";
        return;
    case SqlComparison::is_not_null:
        sql.text += column + " IS NOT NULL";
        return;
    case SqlComparison::is_true:
    case SqlComparison::is_false:
        sql.text += column + (condition.comparison == SqlComparison::is_true ? " = TRUE" : " = FALSE");
        return;
    default:
        break;
    }
    if (condition.values.size() == 1) {
        sql.text += column + " " + operators[static_cast<int>(condition.comparison)] + " " +
                    add_parameter(dialect, condition.type, condition.values.front(), sql.parameters);
        return;
    }
    sql.text += column + " IN (";
    for (std::size_t i = 0; i < condition.values.size(); i++)
        sql.text += (i == 0 ? "" : ", ") + add_parameter(dialect, condition.type, condition.values[i], sql.parameters);
    sql.text += ")";
}

/// That a text has these bytes, where the source's collation may take two texts for one.
void append_bytes(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql) {
    const std::string &hash = dialect.hash->sql;
    sql.text += " AND " + filled(hash, "text", quoted(dialect, condition.field)) + " IN (";
    for (std::size_t i = 0; i < condition.values.size(); i++)
        sql.text += (i == 0 ? "" : ", ") +
                    filled(hash, "text", add_parameter(dialect, condition.type, condition.values[i], sql.parameters));
    sql.text += ")";
}

bool is_number(std::string_view text, std::size_t most_whole, std::size_t most_fraction) {
    text.remove_prefix(text.starts_with('-') ? 1 : 0);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
    return point > 0 && point <= most_whole && fraction.size() <= most_fraction &&
           text.substr(0, point).find_first_not_of("0123456789") == text.npos &&
           fraction.find_first_not_of("0123456789") == fraction.npos;
}

/// 2026-11-27, and what stands behind it.
bool begins_with_date(std::string_view text) {
    if (text.size() < 10)
        return false;
    for (std::size_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return text.substr(0, 4) != "0000" && (text.size() == 10 || text[10] == ' ');
}

} // namespace

std::string quoted(const DialectSpec &dialect, const std::string &name) {
    // How a name with a backtick is written differs; and none of the sources that have it has such names.
    if (name.empty() || (dialect.quote == "`" && name.find_first_of("`\\") != name.npos))
        throw SettingError("the source has no name \"" + name + "\"");
    std::string text = dialect.quote;
    for (const char c : name) {
        text += c;
        if (c == dialect.quote[0])
            text += c;
    }
    return text + dialect.quote;
}

std::string relation_name(const DialectSpec &dialect, const std::vector<std::string> &parts, const std::string &object,
                          const std::string &schema) {
    std::string name;
    for (const std::string &part : parts)
        name += (name.empty() ? "" : ".") +
                quoted(dialect, substitute(part, [&](const std::string &placeholder) -> std::optional<std::string> {
                           return placeholder == "object"             ? std::optional(object)
                                  : placeholder == "statement.schema" ? std::optional(schema)
                                                                      : std::nullopt;
                       }));
    return name;
}

std::string folded(const DialectSpec &dialect, const std::string &name) {
    if (!dialect.folds_to_upper || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != name.npos)
        return name;
    std::string upper = name;
    for (char &c : upper)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
    return upper;
}

bool can_say(const DialectSpec &dialect, const std::string &type, SqlComparison comparison) {
    return comparison >= SqlComparison::is_null || dialect.parameters.contains(type);
}

bool can_be_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value) {
    const auto of_type = dialect.parameters.find(type);
    if (of_type != dialect.parameters.end() && of_type->second.only != nullptr && !of_type->second.only->matches(value))
        return false;
    if (type == "numeric")
        return is_number(value, 28, 9);
    if (type == "smallint" || type == "integer" || type == "bigint")
        return is_number(value, 19, 0);
    if (type == "date")
        return value.size() == 10 && begins_with_date(value);
    if (type == "timestamp" || type == "timestamptz")
        return begins_with_date(value) && !value.ends_with("BC");
    return true;
}

std::string filled(const std::string &text, const std::string &name, const std::string &value) {
    return substitute(text, [&](const std::string &placeholder) {
        return placeholder == name ? std::optional(value) : std::nullopt;
    });
}

std::string selected(const DialectSpec &dialect, const SelectedColumn &column) {
    const auto expression = dialect.select.find(column.type);
    const std::string name = quoted(dialect, column.field);
    return expression == dialect.select.end() ? name : filled(expression->second, "column", name);
}

void append_from_where(const DialectSpec &dialect, const SourceQuery &query, bool apart, SqlText &sql) {
    // What a query ends with may be a comment.
    sql.text +=
        " FROM " + (query.query.empty() ? query.relation : "(\n" + query.query + "\n) AS " + quoted(dialect, "source"));
    for (std::size_t i = 0; i < query.conditions.size(); i++) {
        sql.text += i == 0 ? " WHERE " : " AND ";
        append_condition(dialect, query.conditions[i], sql);
        if (apart && query.conditions[i].type == "text" && query.conditions[i].comparison == SqlComparison::equal)
            append_bytes(dialect, query.conditions[i], sql);
    }
}

SqlText select_text(const DialectSpec &dialect, const SourceQuery &query) {
    SqlText sql{"SELECT ", {}};
    for (const SelectedColumn &column : query.columns)
        sql.text += (sql.text.size() > 7 ? ", " : "") + selected(dialect, column);
    sql.text += query.columns.empty() ? "1" : "";
    append_from_where(dialect, query, false, sql);
    if (query.limit >= 0)
        sql.text += " LIMIT " + std::to_string(query.limit);
    return sql;
}

SqlText catalog_text(const DialectSpec &dialect, const SourceCatalogSpec &catalog, const std::string &schema) {
    SqlText sql;
    sql.text = substitute(catalog.sql, [&](const std::string &name) -> std::optional<std::string> {
        if (name == "catalog.relation")
            return relation_name(dialect, catalog.relation, "", schema);
        return name == "catalog.schema" ? std::optional(add_parameter(dialect, "text", schema, sql.parameters))
                                        : std::nullopt;
    });
    return sql;
}

} // namespace reverse_etl
