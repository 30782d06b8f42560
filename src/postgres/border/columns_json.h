#pragma once

#include <string>
#include <vector>

#include "postgres/border/postgres.h"

extern "C" {
#include "executor/tuptable.h"
}

namespace reverse_etl {

/// Columns of a row as a JSON object, as row_to_json makes it; those with other names are left out. The slot's values
/// must have been taken apart. The memory context is reset.
std::string columns_as_json(TupleTableSlot *row, const std::vector<std::string> &names, MemoryContext scratch);

} // namespace reverse_etl
