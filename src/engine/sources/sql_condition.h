#pragma once

#include "engine/manifest/statement_spec.h"
#include "engine/sources/sql_parameter.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

enum class SqlComparison {
    equal,     ///< also of the values of a list: with one of them
    not_equal, ///< with none of them
    less,
    less_equal,
    greater,
    greater_equal,
    like, ///< the value is a pattern of broader_pattern
    is_null,
    is_not_null,
    is_true,
    is_false
};

/// What WHERE asks: of a column, or by conditions that are joined.
struct SqlCondition {
    std::string field; ///< the source's name of the column
    std::string type;  ///< the Postgres type of the values
    SqlComparison comparison = SqlComparison::equal;
    std::vector<std::string> values = {}; ///< as Postgres writes them; of a test of one value none
    bool is_exact = false;                ///< the column is compared as the dialect's "exact" has it
    enum class Join { none, all, any } join = Join::none;
    std::vector<SqlCondition> parts = {}; ///< of one that joins
};

/// Whether the dialect can say the comparison. Values are looked at when it is written.
bool can_say(const DialectSpec &dialect, const std::string &type, SqlComparison comparison);

/// Whether a value is one that a parameter of the type can be: it means the same to the source as to Postgres.
bool can_be_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value);

/// A pattern without an escape and with no wildcard but %, which every text matches that matches this one of Postgres.
/// What escapes what, and what is one character, differs between sources.
std::string broader_pattern(std::string_view pattern);

/// How the column is written where its values must be told apart as Postgres does.
std::string exact_column(const DialectSpec &dialect, const std::string &field, const std::string &type);

/// `apart`: that a text is equal holds of the very bytes, whatever the source's collation; for that the dialect must
/// have a hash.
void append_condition(const DialectSpec &dialect, const SqlCondition &condition, SqlText &sql, bool apart = false);

} // namespace reverse_etl
