#pragma once

#include "engine/sources/sql_condition.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// What of a column is asked for, if not its values.
enum class SqlFunction { none, count_rows, count, minimum, maximum, sum };

struct SelectedColumn {
    std::string field;
    std::string type; ///< its Postgres type
    SqlFunction function = SqlFunction::none;
};

struct SqlOrder {
    std::string field;
    bool is_descending = false, nulls_first = false;
};

/// What is read of a source: rows of one relation, or of what a query of the source's own SQL gives.
struct SourceQuery {
    std::string relation; ///< quoted; "" where there is a query
    std::string query;
    std::vector<SelectedColumn> columns;
    std::vector<SqlCondition> conditions = {}; ///< all of them hold
    std::vector<SelectedColumn> groups = {};   ///< what rows are grouped by
    std::vector<SqlOrder> order = {};
    long limit = -1; ///< most rows; -1: all
};

/// A name as the dialect quotes it. Throws SettingError where it cannot.
std::string quoted(const DialectSpec &dialect, const std::string &name);

/// The name of a relation of several parts: templates, in which the values stand for {object} and {statement.schema}.
std::string relation_name(const DialectSpec &dialect, const std::vector<std::string> &parts, const std::string &object,
                          const std::string &schema);

/// A name of Postgres as the source has it where nobody quoted it: names in lower case fold.
std::string folded(const DialectSpec &dialect, const std::string &name);

/// Whether the dialect can say the function of a column of the type, so that the result is Postgres's.
bool can_say(const DialectSpec &dialect, const std::string &type, SqlFunction function);

/// Whether values of the type are told apart there as they are here, so that rows may be grouped by them.
bool can_group_by(const DialectSpec &dialect, const std::string &type);

/// How a column is asked for. `is_grouped`: of rows that are grouped by it.
std::string selected(const DialectSpec &dialect, const SelectedColumn &column, bool is_grouped = false);

/// FROM and WHERE, with the values as parameters. `apart`: conditions on texts hold of the very bytes, whatever the
/// source's collation; for that the dialect must have a hash.
void append_from_where(const DialectSpec &dialect, const SourceQuery &query, bool apart, SqlText &sql);

/// SELECT, with the values as parameters.
SqlText select_text(const DialectSpec &dialect, const SourceQuery &query);

/// The statement that lists the columns of a schema.
SqlText catalog_text(const DialectSpec &dialect, const SourceCatalogSpec &catalog, const std::string &schema);

} // namespace reverse_etl
