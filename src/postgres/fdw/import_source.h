#pragma once

#include "postgres/border/postgres.h"

#include <string>

extern "C" {
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

/// The commands that make tables of those that a source has in a schema.
List *import_source_schema(const ImportForeignSchemaStmt *statement, Oid server, const std::string &schema);

/// Whether the statement names the table, or leaves it out.
bool is_wanted(const ImportForeignSchemaStmt *statement, const std::string &table);

} // namespace reverse_etl
