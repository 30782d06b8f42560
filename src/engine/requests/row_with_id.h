#pragma once

#include "engine/requests/json_row.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// A row with the destination's id of it behind its columns.
class RowWithId final : public RowValues {
  public:
    /// `columns`: how many the row has. `id`: as JSON. Both must outlive it.
    RowWithId(const RowValues &row, int columns, std::string_view id) : row_(row), columns_(columns), id_(id) {}

    bool is_null(int column) const override { return column < columns_ && row_.is_null(column); }
    void json(int column, std::string &out) const override {
        if (column < columns_)
            row_.json(column, out);
        else
            out += id_;
    }
    void text(int column, std::string &out) const override {
        if (column < columns_)
            row_.text(column, out);
        else
            append_as_text(id_, out);
    }

  private:
    const RowValues &row_;
    const int columns_;
    const std::string_view id_;
};

} // namespace reverse_etl
