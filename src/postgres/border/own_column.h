#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "utils/relcache.h"
}

namespace reverse_etl {

/// Where a column of one of the extension's own tables stands in a row, from 0. It is found by its name: a later
/// version of the extension may have columns that this library does not know. Call inside pg_call.
int own_column(Relation table, const char *name);

} // namespace reverse_etl
