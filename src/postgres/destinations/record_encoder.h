#pragma once

#include "engine/requests/value_place.h"
#include "postgres/destinations/column_encoders.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

/// Writes rows as JSON objects in UTF-8, by the names of the foreign table's columns: what the outbox and rejected rows
/// hold. The values are as they are sent.
class RecordEncoder {
  public:
    /// The columns are those of `values`.
    RecordEncoder(ColumnEncoders &values, const std::vector<const DestinationColumn *> &columns);

    /// Appends an object of the columns from `begin` to `end`. Throws ValueRefused.
    void encode(std::size_t begin, std::size_t end, std::string &out, MemoryContext scratch);

    /// The same where there has to be an object: a value that cannot be sent stands as Postgres prints it.
    void encode_anyhow(const Datum *values, const bool *nulls, std::size_t begin, std::size_t end, std::string &out,
                       MemoryContext scratch);

    /// Where in the text that encode() appended to the column's member stands, name and value.
    std::pair<std::size_t, std::size_t> member(std::size_t column) const { return members_[column]; }
    /// Where its value does.
    ValuePlace value(std::size_t column) const {
        return {static_cast<std::uint32_t>(members_[column].first + columns_[column].name.size()),
                static_cast<std::uint32_t>(members_[column].second)};
    }

  private:
    struct Column {
        std::string name; ///< as it stands in the object: "name":
        Oid type;
    };

    ColumnEncoders &values_;
    std::vector<Column> columns_;
    std::vector<std::pair<std::size_t, std::size_t>> members_;
};

} // namespace reverse_etl
