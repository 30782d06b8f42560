#pragma once

#include "engine/requests/row_writer.h"
#include "engine/text/json.h"

namespace reverse_etl {

/// A row that is an object of JSON. A field that it does not have is null.
class GivenRow final : public RowValues {
  public:
    /// Both must outlive it.
    GivenRow(const Json &row, const std::vector<StatementColumn> &columns) : row_(row), columns_(columns) {}

    bool is_null(int column) const override { return value(column).is_null(); }
    void json(int column, std::string &out) const override { out += value(column).dump(); }
    void text(int column, std::string &out) const override {
        const Json &given = value(column);
        out += given.is_string() ? given.get_ref<const std::string &>() : given.dump();
    }

  private:
    const Json &value(int column) const {
        static const Json null;
        const auto found = row_.find(columns_[column].field);
        return found == row_.end() ? null : *found;
    }

    const Json &row_;
    const std::vector<StatementColumn> &columns_;
};

} // namespace reverse_etl
