#include "engine/sources/sql_text.h"

#include "engine/text/errors.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace reverse_etl {

namespace {

constexpr const char *plain_types[] = {"smallint", "integer", "bigint", "numeric", "boolean", "date"};

bool is_plain(const std::string &type) {
    return std::find(std::begin(plain_types), std::end(plain_types), type) != std::end(plain_types);
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

bool can_say(const DialectSpec &dialect, const std::string &type, SqlFunction function) {
    switch (function) {
    case SqlFunction::sum:
        return dialect.sum.contains(type);
    case SqlFunction::minimum:
    case SqlFunction::maximum:
        return (is_plain(type) && type != "boolean") || type == "timestamp" || type == "timestamptz";
    case SqlFunction::count:
        return !type.empty() && !type.starts_with("json") && !dialect.select.contains(type);
    default:
        return true;
    }
}

bool can_group_by(const DialectSpec &dialect, const std::string &type) {
    return (is_plain(type) || dialect.exact.contains(type)) && !dialect.select.contains(type);
}

std::string selected(const DialectSpec &dialect, const SelectedColumn &column, bool is_grouped) {
    const auto of_column = [&](const std::map<std::string, std::string> &spellings) {
        const auto found = spellings.find(column.type);
        const std::string name = quoted(dialect, column.field);
        return found == spellings.end() ? name : filled(found->second, "column", name);
    };
    switch (column.function) {
    case SqlFunction::count_rows:
        return "count(*)";
    case SqlFunction::count:
        return "count(" + quoted(dialect, column.field) + ")";
    case SqlFunction::minimum:
        return filled(dialect.minimum, "column", quoted(dialect, column.field));
    case SqlFunction::maximum:
        return filled(dialect.maximum, "column", quoted(dialect, column.field));
    case SqlFunction::sum:
        return of_column(dialect.sum);
    case SqlFunction::none:
        break;
    }
    return is_grouped ? exact_column(dialect, column.field, column.type) : of_column(dialect.select);
}

void append_from_where(const DialectSpec &dialect, const SourceQuery &query, bool apart, SqlText &sql) {
    // What a query ends with may be a comment.
    sql.text +=
        " FROM " + (query.query.empty() ? query.relation : "(\n" + query.query + "\n) AS " + quoted(dialect, "source"));
    for (std::size_t i = 0; i < query.conditions.size(); i++) {
        sql.text += i == 0 ? " WHERE " : " AND ";
        append_condition(dialect, query.conditions[i], sql, apart);
    }
}

SqlText select_text(const DialectSpec &dialect, const SourceQuery &query) {
    SqlText sql{"SELECT ", {}};
    for (const SelectedColumn &column : query.columns)
        sql.text += (sql.text.size() > 7 ? ", " : "") + selected(dialect, column, !query.groups.empty());
    sql.text += query.columns.empty() ? "1" : "";
    append_from_where(dialect, query, false, sql);
    for (std::size_t i = 0; i < query.groups.size(); i++)
        sql.text += (i == 0 ? " GROUP BY " : ", ") + selected(dialect, query.groups[i], true);
    for (std::size_t i = 0; i < query.order.size(); i++)
        sql.text += (i == 0 ? " ORDER BY " : ", ") + quoted(dialect, query.order[i].field) +
                    (query.order[i].is_descending ? " DESC" : "") +
                    (query.order[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
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
