#pragma once

#include "engine/json_row.h"
#include "postgres/destination.h"

#include <string>

namespace reverse_etl {

/// What tells a row of the outbox from others of its destination: its key, as the destination compares it, whatever the
/// spelling and the order of its columns. The row was read with its key; "" if it has none.
std::string identity_of(const JsonRow &row, const Destination &destination);

/// The identity's hash.
std::int64_t hash_of(const std::string &identity);

} // namespace reverse_etl
