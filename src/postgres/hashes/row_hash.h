#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// To be raised with every change that gives a row another hash: what a sync remembers of its rows is told by it.
constexpr int row_hash_version = 1;

/// reverse_etl.hash_row: the hash of a row's values by the names of their columns.
Datum hash_row(FunctionCallInfo call);

} // namespace reverse_etl
