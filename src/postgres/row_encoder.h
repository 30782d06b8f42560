#pragma once

#include "engine/batch.h"
#include "engine/compiled_operation.h"
#include "postgres/destination.h"
#include "postgres/value_encoder.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Writes a statement's rows into batches, as the operation's body says.
class RowEncoder {
  public:
    /// One type and encoding for each of the operation's columns.
    struct Column {
        Oid type;
        int32 typmod;
        ValueEncoding encoding;
    };
    RowEncoder(const CompiledOperation &operation, const std::vector<Column> &columns, NullAs null_as);

    /// Appends a row. Values and nulls stand in the order of the operation's columns. Throws ValueRefused, with the
    /// batch as it was before. Detoasting and output functions allocate in `scratch`, which is reset.
    void encode(const Datum *values, const bool *nulls, std::uint64_t number, Batch &batch, MemoryContext scratch);

  private:
    void write_row(const Datum *values, const bool *nulls, std::uint64_t number, std::string &out, std::size_t begin);
    void write_member(const RowSegment &segment, Datum value, bool is_null, std::string &out, std::size_t begin);
    const std::string &text_of(int column, const Datum *values, const bool *nulls);

    void write_value(int column, Datum value, std::string &out);

    const CompiledOperation &operation_;
    std::vector<ValueEncoder> encoders_;
    std::vector<bool> quoted_; ///< numbers that an API of strings wants as strings
    NullAs null_as_;
    std::string clear_; ///< what clears a field, as it stands in the body
    std::string text_;  ///< a buffer: nothing with a destructor may be made while Postgres can raise
};

} // namespace reverse_etl
