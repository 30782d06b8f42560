#pragma once

#include <string>
#include <vector>

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace reverse_etl {

/// What an analysed query uses beside relations: the names of its functions, operators, types and collations, but for
/// Postgres' own. Names and not oids, which a dump does not keep.
std::vector<std::string> needs_of(Query *query);

} // namespace reverse_etl
