#pragma once

#include "engine/requests/batch.h"
#include "engine/requests/delivery.h"

#include <optional>

namespace reverse_etl {

/// The batch that is full, where its last row makes it too large and begins another. A row that is too large alone is
/// rejected.
std::optional<Batch> cut(Batch &batch, const CompiledOperation &operation, OutcomeSink &sink);

/// The batch with its rows in the order of their numbers: an answer's words are paired with rows that are.
Batch in_order(const Batch &batch);

} // namespace reverse_etl
