#include "postgres/streams/statements.h"

#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_text.h"
#include "postgres/destinations/key_forms.h"
#include "postgres/streams/mapping.h"

#include <utility>

namespace reverse_etl {

StreamStatements::StreamStatements(Oid destination, std::string mapping, std::vector<std::string> columns,
                                   std::vector<KeyColumn> key)
    : destination_(qualified_name(destination)), mapping_(std::move(mapping)), columns_(std::move(columns)),
      key_(std::move(key)) {}

std::string StreamStatements::insert() const {
    std::string columns = joined(columns_, ", ", quoted_name);
    return "INSERT INTO " + destination_ + " (" + columns + ") SELECT " + columns + " FROM " + mapped();
}

std::string StreamStatements::remove() const {
    return remove(keys_of(mapped()));
}

std::string StreamStatements::remove_moved() const {
    std::string same = joined(key_, " AND ", [](const KeyColumn &column) {
        std::string name = quoted_name(column.name);
        return "(" + in_sql_form(column.form, "before." + name) + ") = (" + in_sql_form(column.form, "now." + name) +
               ")";
    });
    std::string rows = "SELECT * FROM ";
    rows += changed_before;
    std::string before = keys_of(mapped(rows)), now = keys_of(mapped());
    std::string moved = "SELECT DISTINCT before.* FROM (";
    moved += before + ") AS before WHERE NOT EXISTS (SELECT FROM (";
    moved += now + ") AS now WHERE ";
    moved += same + ")";
    return remove(moved);
}

std::string StreamStatements::remove_all(Oid source) const {
    return remove(keys_of(mapped("SELECT * FROM " + qualified_name(source))));
}

std::string StreamStatements::remove(const std::string &keys) const {
    return "DELETE FROM " + destination_ + " AS destination USING (" + keys + ") AS gone WHERE " +
           joined(key_, " AND ", [](const KeyColumn &column) {
               std::string name = quoted_name(column.name);
               return "destination." + name + " = gone." + name;
           });
}

std::string StreamStatements::keys_of(const std::string &rows) const {
    return "SELECT " +
           joined(key_, ", ",
                  [](const KeyColumn &column) {
                      std::string name = quoted_name(column.name);
                      return name + "::" + column.type + " AS " + name;
                  }) +
           " FROM " + rows;
}

// The mapping may end with a comment: hence the line break.
std::string StreamStatements::mapped() const {
    return "(" + mapping_ + "\n) AS mapped";
}

std::string StreamStatements::mapped(const std::string &changed_rows) const {
    std::string with = "(WITH ";
    with += changed;
    with += " AS (";
    with += changed_rows + ") SELECT * FROM ";
    with += mapped() + ") AS mapped";
    return with;
}

} // namespace reverse_etl
