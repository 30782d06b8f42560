#pragma once

#include "engine/requests/json_row.h"

#include <span>
#include <string>
#include <string_view>

namespace reverse_etl {

/// Values that stand behind a row's columns, as JSON.
using ValuesBehind = std::span<const std::string_view>;

/// A row with more values behind its columns: the destination's id of it, what was found of it.
class RowWithMore final : public RowValues {
  public:
    /// `columns`: how many the row has. All must outlive it.
    RowWithMore(const RowValues &row, int columns, ValuesBehind more) : row_(row), columns_(columns), more_(more) {}

    bool is_null(int column) const override { return column < columns_ && row_.is_null(column); }
    void json(int column, std::string &out) const override {
        if (column < columns_)
            row_.json(column, out);
        else
            out += more_[column - columns_];
    }
    void text(int column, std::string &out) const override {
        if (column < columns_)
            row_.text(column, out);
        else
            append_as_text(more_[column - columns_], out);
    }

  private:
    const RowValues &row_;
    const int columns_;
    const ValuesBehind more_;
};

/// Has the rows that are under way, to be written once more.
class RowSource {
  public:
    virtual ~RowSource() = default;
    /// Writes the row into the batch, between its begin_row() and end_row(), with these values behind its columns.
    /// Throws ValueRefused.
    virtual void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch,
                       std::string &out) = 0;
};

} // namespace reverse_etl
