#pragma once

#include "postgres/border/postgres.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// What the account says of a column of an imported table.
struct ImportedComment {
    std::string table, column, text;
};

/// IMPORT FOREIGN SCHEMA takes no statements but those that make tables: comments are written when the tables are
/// there, by an event trigger.
namespace import_comments {

void keep(Oid server, std::string schema, std::vector<ImportedComment> comments);

/// Whether the last command that imported tables has them from there.
bool is_imported_from(Oid server);

} // namespace import_comments

} // namespace reverse_etl
