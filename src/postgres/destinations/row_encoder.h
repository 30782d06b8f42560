#pragma once

#include "postgres/destinations/column_encoders.h"

namespace reverse_etl {

/// Writes the executor's rows into batches.
class RowEncoder {
  public:
    RowEncoder(const CompiledOperation &operation, ColumnEncoders &columns, NullAs null_as)
        : columns_(columns), writer_(operation, null_as) {}

    /// Appends a row. Values and nulls stand in the order of the operation's columns. Throws ValueRefused, with the
    /// batch as it was before. Detoasting and output functions allocate in `scratch`, which is reset.
    void encode(const Datum *values, const bool *nulls, std::uint64_t number, Batch &batch, MemoryContext scratch);

  private:
    ColumnEncoders &columns_;
    RowWriter writer_;
};

} // namespace reverse_etl
