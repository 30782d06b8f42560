#pragma once

#include <string>
#include <vector>

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/bitmapset.h"
#include "utils/plancache.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// The name under which a mapping reads the rows that were changed.
constexpr const char *changed = "changed";

/// What a mapping is about, as Postgres understands it: one SELECT over the rows `changed` of a source.
struct Mapping {
    std::vector<std::string> columns; ///< what it yields, by name: columns of the destination
    std::vector<Oid> relations;       ///< what it reads
    std::vector<std::string> needs;   ///< and what else it uses
    /// Columns of the source, as offsets from FirstLowInvalidHeapAttributeNumber; member 0 - FirstLow... means all.
    Bitmapset *used = nullptr;     ///< if none of these differ, a row's output does not either
    Bitmapset *deciding = nullptr; ///< if none of these differ, a row is still there and its key is the same
};

/// Analyses a mapping, in the connection to SPI that is open. An error points into the mapping.
Mapping analyse(const std::string &query, const std::vector<std::string> &key);

/// A query as Postgres understands it; an error says that `what` must be one SELECT. Call inside pg_call, in an open
/// connection to SPI.
CachedPlanSource *analyse_select(const std::string &query, const char *what, const char *hint);

/// Shows rows of a table (nullptr: none, which is enough to plan) to the statements of the open connection to SPI.
/// Call inside pg_call.
void show_rows(const char *name, Oid table, Tuplestorestate *rows);

} // namespace reverse_etl
