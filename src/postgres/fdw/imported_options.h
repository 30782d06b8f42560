#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

namespace reverse_etl {

/// Postgres makes an ALTER of each column that has options in CREATE FOREIGN TABLE, and after each reads the table
/// anew: a table of 500 columns takes as long as 500 tables. So the options of imported tables are written all at once.
namespace imported_options {

/// Takes the options of columns out of a statement of an IMPORT FOREIGN SCHEMA: a list for each column. NIL for any
/// other statement.
List *take(PlannedStmt *statement, bool read_only_tree, ProcessUtilityContext context);

/// Gives them to the table that the statement has made.
void write(PlannedStmt *statement, List *options);

} // namespace imported_options

} // namespace reverse_etl
