#include "engine/sources/sql_condition.h"

#include "engine/sources/sql_text.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr const char *operators[] = {"=", "<>", "<", "<=", ">", ">="};
/// What stands for a character that no text of Postgres can hold, U+FFFD, stands for another one at the source.
constexpr const char *replacement = "\xef\xbf\xbd";

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

void append_joined(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql, bool apart) {
    for (std::size_t i = 0; i < condition.parts.size(); i++) {
        sql.text += i == 0 ? "(" : condition.join == SqlCondition::Join::all ? " AND " : " OR ";
        append_condition(dialect, condition.parts[i], sql, apart);
    }
    sql.text += ")";
}

void append_list(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql) {
    sql.text += condition.comparison == SqlComparison::not_equal ? " NOT IN (" : " IN (";
    for (std::size_t i = 0; i < condition.values.size(); i++)
        sql.text += (i == 0 ? "" : ", ") + add_parameter(dialect, condition.type, condition.values[i], sql.parameters);
    sql.text += ")";
}

/// That a text has these bytes, where the source may take two texts for one.
void append_bytes(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql) {
    const std::string &hash = dialect.hash->sql;
    sql.text += " AND " + filled(hash, "text", quoted(dialect, condition.field)) + " IN (";
    for (std::size_t i = 0; i < condition.values.size(); i++)
        sql.text += (i == 0 ? "" : ", ") +
                    filled(hash, "text", add_parameter(dialect, condition.type, condition.values[i], sql.parameters));
    sql.text += ")";
}

} // namespace

bool can_say(const DialectSpec &dialect, const std::string &type, SqlComparison comparison) {
    if (comparison >= SqlComparison::is_null)
        return true;
    return dialect.parameters.contains(type) && (comparison != SqlComparison::like || !dialect.like.empty());
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
    return type != "text" || value.find(replacement) == value.npos;
}

std::string broader_pattern(std::string_view pattern) {
    std::string broader;
    const auto add_any = [&] { broader += broader.ends_with('%') ? "" : "%"; };
    for (std::size_t i = 0; i < pattern.size(); i++) {
        const bool is_escaped = pattern[i] == '\\';
        i += is_escaped ? 1 : 0;
        if (i == pattern.size() || pattern[i] == '%' || pattern[i] == '_' || pattern[i] == '\\')
            add_any();
        else
            broader += pattern[i];
    }
    return broader;
}

std::string exact_column(const DialectSpec &dialect, const std::string &field, const std::string &type) {
    const auto exact = dialect.exact.find(type);
    const std::string column = quoted(dialect, field);
    return exact == dialect.exact.end() ? column : filled(exact->second, "column", column);
}

void append_condition(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql, bool apart) {
    if (condition.join != SqlCondition::Join::none) {
        append_joined(dialect, condition, sql, apart);
        return;
    }
    const std::string column =
        condition.is_exact ? exact_column(dialect, condition.field, condition.type) : quoted(dialect, condition.field);
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
    case SqlComparison::like: {
        const std::string pattern = add_parameter(dialect, condition.type, condition.values.front(), sql.parameters);
        // At once: what a name holds is no placeholder.
        sql.text += substitute(dialect.like, [&](const std::string &name) {
            return name == "column" ? std::optional(column) : name == "pattern" ? std::optional(pattern) : std::nullopt;
        });
        return;
    }
    default:
        break;
    }
    sql.text += column;
    if (condition.values.size() == 1)
        sql.text += std::string(" ") + operators[static_cast<int>(condition.comparison)] + " " +
                    add_parameter(dialect, condition.type, condition.values.front(), sql.parameters);
    else
        append_list(dialect, condition, sql);
    if (apart && !condition.is_exact && condition.type == "text" && condition.comparison == SqlComparison::equal)
        append_bytes(dialect, condition, sql);
}

} // namespace reverse_etl
