#pragma once

#include "engine/requests/row_writer.h"
#include "postgres/destinations/destination.h"
#include "postgres/values/encoder.h"

#include <vector>

namespace reverse_etl {

/// The values of a statement's rows, as the columns' types and encodings say. Writers may raise Postgres errors: call
/// them inside pg_call, with a memory context that is reset per row.
class ColumnEncoders final : public RowValues {
  public:
    ColumnEncoders(const Destination &destination, const std::vector<const DestinationColumn *> &columns);

    /// The row that is written next, in the order of the columns; the arrays must stay until it is.
    void set(const Datum *values, const bool *nulls) {
        values_ = values;
        nulls_ = nulls;
    }

    Datum value(int column) const { return values_[column]; }
    bool is_null(int column) const override { return nulls_[column]; }
    void json(int column, std::string &out) const override;
    void text(int column, std::string &out) const override { encoders_[column].text(values_[column], out); }

  private:
    std::vector<ValueEncoder> encoders_;
    std::vector<bool> quoted_; ///< numbers that an API of strings wants as strings
    const Datum *values_ = nullptr;
    const bool *nulls_ = nullptr;
};

} // namespace reverse_etl
