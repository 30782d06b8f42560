#pragma once

#include "engine/manifest/statement_directives.h"
#include "engine/manifest/statement_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// SQL as a source takes it, with the values that go beside it.
struct SqlText {
    std::string text;
    std::vector<StatementParameter> parameters;

    bool operator==(const SqlText &) const = default;
};

/// The text with this value in place of one placeholder.
std::string filled(const std::string &text, const std::string &name, const std::string &value);

/// A value as it goes beside a text: escaped and written as the dialect says. The type must be one of its parameters.
StatementParameter parameter_of(const DialectSpec &dialect, const std::string &type, const std::string &value);

/// The expression that stands for one more parameter. Throws std::out_of_range for a type that the dialect has not.
std::string add_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value,
                          std::vector<StatementParameter> &parameters);

/// What is sent as the text: where the dialect binds parameters by SQL, with them in it.
std::string sent_text(const DialectSpec &dialect, const SqlText &sql);

} // namespace reverse_etl
