#include "postgres/row_encoder.h"

#include "engine/json_text.h"
#include "postgres/border.h"

#include <charconv>

namespace reverse_etl {

RowEncoder::RowEncoder(const CompiledOperation &operation, const std::vector<Column> &columns, NullAs null_as)
    : operation_(operation), null_as_(null_as) {
    encoders_.reserve(columns.size());
    bool only_strings = operation.object().encoding == ValueEncoding::string;
    for (const Column &column : columns) {
        encoders_.push_back(pg_call([&] { return ValueEncoder::make(column.type, column.typmod, column.encoding); }));
        bool is_number = column.encoding == ValueEncoding::epoch_s || column.encoding == ValueEncoding::epoch_ms;
        quoted_.push_back(only_strings && is_number);
    }
    const auto *clear = std::get_if<std::string>(&operation.object().clear);
    if (operation.spec().form)
        append_percent_encoded(clear_, clear != nullptr ? *clear : "");
    else if (clear != nullptr)
        append_json_string(clear_, *clear);
    else
        clear_ = "null";
}

void RowEncoder::encode(const Datum *values, const bool *nulls, std::uint64_t number, Batch &batch,
                        MemoryContext scratch) {
    std::string &out = batch.begin_row();
    try {
        pg_call([&] {
            MemoryContext caller = MemoryContextSwitchTo(scratch);
            write_row(values, nulls, number, out, batch.row_begin());
            for (int column : operation_.kept_columns())
                batch.keep(text_of(column, values, nulls));
            MemoryContextSwitchTo(caller);
            MemoryContextReset(scratch);
        });
    } catch (...) {
        batch.drop_row();
        throw;
    }
    batch.end_row(number);
}

void RowEncoder::write_row(const Datum *values, const bool *nulls, std::uint64_t number, std::string &out,
                           std::size_t begin) {
    for (const RowSegment &segment : operation_.row()) {
        switch (segment.kind) {
        case RowSegment::Kind::literal:
            out += segment.text;
            break;
        case RowSegment::Kind::member:
            write_member(segment, values[segment.column], nulls[segment.column], out, begin);
            break;
        case RowSegment::Kind::value:
            if (nulls[segment.column])
                text_of(segment.column, values, nulls); // refuses
            write_value(segment.column, values[segment.column], out);
            break;
        case RowSegment::Kind::in_string: {
            std::size_t quote = out.size();
            append_json_string(out, text_of(segment.column, values, nulls));
            out.pop_back();
            out.erase(quote, 1);
            break;
        }
        case RowSegment::Kind::form_value:
            append_percent_encoded(out, text_of(segment.column, values, nulls));
            break;
        case RowSegment::Kind::row_number: {
            char digits[20];
            out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
            break;
        }
        }
    }
}

void RowEncoder::write_member(const RowSegment &segment, Datum value, bool is_null, std::string &out,
                              std::size_t begin) {
    if (is_null && null_as_ == NullAs::omit)
        return;
    bool form = operation_.spec().form;
    if (form ? out.size() > begin : out.back() != '{')
        out += form ? '&' : ',';
    out += segment.text;
    if (is_null) {
        out += null_as_ == NullAs::clear ? clear_ : form ? "" : "null";
    } else if (form) {
        text_.clear();
        encoders_[segment.column].text(value, text_);
        append_percent_encoded(out, text_);
    } else {
        write_value(segment.column, value, out);
    }
}

void RowEncoder::write_value(int column, Datum value, std::string &out) {
    if (quoted_[column])
        out += '"';
    encoders_[column].json(value, out);
    if (quoted_[column])
        out += '"';
}

const std::string &RowEncoder::text_of(int column, const Datum *values, const bool *nulls) {
    if (nulls[column])
        throw ValueRefused("field \"" + operation_.columns()[column].field +
                           "\" is null, but the request cannot be made without it");
    text_.clear();
    encoders_[column].text(values[column], text_);
    return text_;
}

} // namespace reverse_etl
