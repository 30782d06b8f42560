#pragma once

#include "engine/requests/delivery.h"
#include "engine/requests/row_with_more.h"
#include "engine/requests/row_writer.h"

#include <cstdint>
#include <optional>

namespace reverse_etl {

/// A request that is being filled with rows that are under way, as they come.
class RowBatch {
  public:
    RowBatch(const CompiledOperation &operation, NullAs null_as)
        : operation_(operation), writer_(operation, null_as), batch_(operation.frame()) {}

    /// Whether the row is in it, with these values behind its own. Else it is rejected: a value cannot be sent.
    bool add(std::uint64_t number, ValuesBehind behind, RowSource &rows, OutcomeSink &sink);
    /// What is full, where the last row makes it too large. A row that is too large alone is rejected.
    std::optional<Batch> cut(OutcomeSink &sink);
    std::size_t rows() const { return batch_.rows().size(); }
    /// What is in it. It begins anew.
    Batch take();

  private:
    const CompiledOperation &operation_;
    RowWriter writer_;
    Batch batch_;
};

} // namespace reverse_etl
