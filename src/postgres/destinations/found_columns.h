#pragma once

#include "engine/manifest/column_names.h"
#include "engine/requests/discovery.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// A column of a foreign table, as SQL declares it.
struct TableColumn {
    std::string name;
    std::string field;
    std::string type;
    std::string definition; ///< all of it
    std::string comment;    ///< "" for none
};

/// The columns that a table gets for fields that it does not have yet.
struct FoundColumns {
    std::vector<TableColumn> columns;
    std::vector<std::string> nameless; ///< fields that this database has no name for
    std::vector<std::string> too_many; ///< fields that the table has no room for
};

/// The column of a field that the manifest lists.
TableColumn listed_column(const ColumnSpec &spec);

/// The columns of fields that were found. `fields` are those that the table has, `names` are free, `room` is for so
/// many.
FoundColumns found_columns(const Object &object, std::vector<FoundField> &found, std::set<std::string> fields,
                           FreeNames names, std::size_t room);

/// Tells, of an object or a destination, that fields have no column, and what can be done.
void warn_of_left_out(const std::string &name, const FoundColumns &found);

} // namespace reverse_etl
