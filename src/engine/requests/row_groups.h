#pragma once

#include "engine/requests/batch.h"
#include "engine/requests/compiled_operation.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// The rows in batches of which each holds rows of one group, in the order of the groups' first rows; within a group
/// they stand in the order of their numbers. As they are where the operation does not group its rows.
std::vector<Batch> grouped(const CompiledOperation &operation, std::vector<Batch> batches);

/// It stands beside the rows in a body where what they have in common does: bytes that occur in no UTF-8.
std::string group_mark(std::size_t kept);

/// The body with what its rows have in common, as text of the JSON strings that it stands in.
void fill_in_group(const CompiledOperation &operation, const Batch &batch, std::string &body);

} // namespace reverse_etl
