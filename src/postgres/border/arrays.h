#pragma once

#include <string>
#include <vector>

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// Arrays as SQL functions take and return them. All raise what Postgres raises as a PostgresError.

Datum text_array(const std::vector<std::string> &texts);
/// `type`: one that is an oid, such as regclass.
Datum oid_array(const std::vector<Oid> &oids, Oid type);

/// An element that is NULL is "".
std::vector<std::string> texts_of(Datum array);
std::vector<Oid> oids_of(Datum array);

} // namespace reverse_etl
