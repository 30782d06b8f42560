#include "postgres/destinations/column_encoders.h"

#include "postgres/border/border.h"

namespace reverse_etl {

ColumnEncoders::ColumnEncoders(const Destination &destination, const std::vector<const DestinationColumn *> &columns) {
    encoders_.reserve(columns.size());
    bool only_strings = destination.object.encoding == ValueEncoding::string;
    for (const DestinationColumn *column : columns) {
        encoders_.push_back(
            pg_call([&] { return ValueEncoder::make(column->type, column->typmod, column->encoding); }));
        bool is_number = column->encoding == ValueEncoding::epoch_s || column->encoding == ValueEncoding::epoch_ms;
        quoted_.push_back(only_strings && is_number);
    }
}

void ColumnEncoders::json(int column, std::string &out) const {
    if (quoted_[column])
        out += '"';
    encoders_[column].json(values_[column], out);
    if (quoted_[column])
        out += '"';
}

} // namespace reverse_etl
