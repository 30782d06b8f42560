#pragma once

#include "postgres/syncs/rows.h"

#include <optional>
#include <string>

namespace reverse_etl {

/// Why a run of the sync is to be held; "" if it is not. `run`: one that may have been released before. `known`: keys
/// in the state. In the open connection to SPI.
std::string exceeded_guard(const SyncDefinition &sync, std::optional<std::int64_t> run, std::int64_t known,
                           const SyncCounts &counts);

} // namespace reverse_etl
