#include "engine/sources/sql_parameter.h"

#include "engine/text/placeholders.h"

#include <optional>

namespace reverse_etl {

namespace {

std::string escaped(const DialectSpec &dialect, const std::string &text) {
    std::string written;
    for (const char c : text) {
        const auto found = dialect.escape.find(c);
        written += found == dialect.escape.end() ? std::string(1, c) : found->second;
    }
    return written;
}

} // namespace

std::string filled(const std::string &text, const std::string &name, const std::string &value) {
    return substitute(text, [&](const std::string &placeholder) {
        return placeholder == name ? std::optional(value) : std::nullopt;
    });
}

StatementParameter parameter_of(const DialectSpec &dialect, const std::string &type, const std::string &value) {
    return {dialect.parameters.at(type).type, filled(dialect.value, "value", escaped(dialect, value))};
}

std::string add_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value,
                          std::vector<StatementParameter> &parameters) {
    const ParameterType &of_type = dialect.parameters.at(type);
    parameters.push_back(parameter_of(dialect, type, value));
    const std::string marker = substitute(dialect.marker, [&](const std::string &name) -> std::optional<std::string> {
        return name == "number" ? std::optional(std::to_string(parameters.size()))
               : name == "type" ? std::optional(of_type.type)
                                : std::nullopt;
    });
    return filled(of_type.sql, "parameter", marker);
}

std::string sent_text(const DialectSpec &dialect, const SqlText &sql) {
    if (dialect.bound.empty() || sql.parameters.empty())
        return sql.text;
    std::string values;
    for (const StatementParameter &parameter : sql.parameters)
        values += (values.empty() ? "" : ", ") + parameter.value;
    return substitute(dialect.bound, [&](const std::string &name) -> std::optional<std::string> {
        return name == "values"          ? std::optional(values)
               : name == "statement.sql" ? std::optional(escaped(dialect, sql.text))
                                         : std::nullopt;
    });
}

} // namespace reverse_etl
