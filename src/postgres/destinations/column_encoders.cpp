#include "postgres/destinations/column_encoders.h"

#include "postgres/border/border.h"

namespace reverse_etl {

ColumnEncoders::ColumnEncoders(const Destination &destination, const std::vector<const DestinationColumn *> &columns) {
    encoders_.reserve(columns.size());
    bool only_strings = destination.object.encoding.is(ValueForm::string);
    for (const DestinationColumn *column : columns) {
        encoders_.push_back(
            pg_call([&] { return ValueEncoder::make(column->type, column->typmod, column->encoding); }));
        quoted_.push_back(only_strings && column->encoding.gives_number());
    }
}

void ColumnEncoders::json(int column, std::string &out) const {
    if (!quoted_[column])
        return encoders_[column].json(values_[column], out);
    out += '"';
    encoders_[column].json(values_[column], out);
    out += '"';
}

} // namespace reverse_etl
