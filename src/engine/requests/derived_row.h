#pragma once

#include "engine/requests/compiled_operation.h"
#include "engine/requests/row_writer.h"

namespace reverse_etl {

/// A row with the values that are derived from its own, behind its columns. They are made of what the row holds as it
/// is sent, so they are the same for a row that leaves at once and for one that the outbox kept.
class DerivedRow final : public RowValues {
  public:
    DerivedRow(const CompiledOperation &operation, const RowValues &row)
        : operation_(operation), row_(row), columns_(static_cast<int>(operation.columns().size())) {}

    bool is_null(int column) const override { return row_.is_null(source_of(column)); }
    void json(int column, std::string &out) const override;
    void text(int column, std::string &out) const override;

  private:
    int source_of(int column) const;

    const CompiledOperation &operation_;
    const RowValues &row_;
    const int columns_;
};

} // namespace reverse_etl
