#pragma once

#include "engine/manifest/statement_directives.h"
#include "engine/manifest/statement_spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// SQL as a source takes it, with the values that go beside it.
struct SqlText {
    std::string text;
    std::vector<StatementParameter> parameters;
};

enum class SqlComparison {
    equal, ///< also of the values of a list: with one of them
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    is_null,
    is_not_null,
    is_true,
    is_false
};

/// What WHERE asks of a column.
struct SqlCondition {
    std::string field; ///< the source's name of the column
    std::string type;  ///< its Postgres type
    SqlComparison comparison = SqlComparison::equal;
    std::vector<std::string> values; ///< as Postgres writes them; of a test of one value none
};

struct SelectedColumn {
    std::string field;
    std::string type; ///< its Postgres type
};

/// What is read of a source: rows of one relation, or of what a query of the source's own SQL gives.
struct SourceQuery {
    std::string relation; ///< quoted; "" where there is a query
    std::string query;
    std::vector<SelectedColumn> columns;
    std::vector<SqlCondition> conditions; ///< all of them hold
    long limit = -1;                      ///< most rows; -1: all
};

/// A name as the dialect quotes it. Throws SettingError where it cannot.
std::string quoted(const DialectSpec &dialect, const std::string &name);

/// The name of a relation of several parts: templates, in which the values stand for {object} and {statement.schema}.
std::string relation_name(const DialectSpec &dialect, const std::vector<std::string> &parts, const std::string &object,
                          const std::string &schema);

/// A name of Postgres as the source has it where nobody quoted it: names in lower case fold.
std::string folded(const DialectSpec &dialect, const std::string &name);

/// Whether the dialect can say the condition. Values are looked at when it is written.
bool can_say(const DialectSpec &dialect, const std::string &type, SqlComparison comparison);

/// Whether a value is one that a parameter of the type can be: it means the same to the source as to Postgres.
bool can_be_parameter(const DialectSpec &dialect, const std::string &type, const std::string &value);

/// SQL of the manifest with a value in place of {NAME}.
std::string filled(const std::string &text, const std::string &name, const std::string &value);

/// How a column is asked for.
std::string selected(const DialectSpec &dialect, const SelectedColumn &column);

/// FROM and WHERE, with the values as parameters. `apart`: conditions on texts hold of the very bytes, whatever the
/// source's collation; for that the dialect must have a hash.
void append_from_where(const DialectSpec &dialect, const SourceQuery &query, bool apart, SqlText &sql);

/// SELECT, with the values as parameters.
SqlText select_text(const DialectSpec &dialect, const SourceQuery &query);

/// The statement that lists the columns of a schema.
SqlText catalog_text(const DialectSpec &dialect, const SourceCatalogSpec &catalog, const std::string &schema);

} // namespace reverse_etl
