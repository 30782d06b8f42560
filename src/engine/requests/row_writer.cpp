#include "engine/requests/row_writer.h"

#include "engine/requests/derived_row.h"
#include "engine/text/json_text.h"

#include <charconv>

namespace reverse_etl {

RowWriter::RowWriter(const CompiledOperation &operation, NullAs null_as)
    : operation_(operation), null_as_(null_as), is_form_(operation.spec().format.kind == BodyKind::form) {
    const auto *clear = std::get_if<std::string>(&operation.object().clear);
    if (is_form_)
        append_percent_encoded(clear_, clear != nullptr ? *clear : "");
    else if (clear != nullptr)
        append_json_string(clear_, *clear);
    else
        clear_ = "null";
}

void RowWriter::write(const RowValues &row, std::uint64_t number, Batch &batch, std::string &out) {
    begin_ = batch.row_begin();
    number_ = number;
    if (operation_.derived().empty())
        write_row(row, batch, out);
    else
        write_row(DerivedRow(operation_, row), batch, out);
}

void RowWriter::write_row(const RowValues &row, Batch &batch, std::string &out) {
    write_segments(operation_.row(), row, out);
    for (int column : operation_.kept_columns())
        batch.keep(text_of(column, row));
}

void RowWriter::write_segments(const RowSegments &segments, const RowValues &row, std::string &out) {
    for (const RowSegment &segment : segments) {
        switch (segment.kind) {
        case RowSegment::Kind::literal:
            out += segment.text;
            break;
        case RowSegment::Kind::member:
            write_member(segment, row, out);
            break;
        case RowSegment::Kind::value:
            if (row.is_null(segment.column))
                text_of(segment.column, row); // refuses
            row.json(segment.column, out);
            break;
        case RowSegment::Kind::in_string: {
            const std::size_t begin = out.size();
            append_text_of(segment.column, row, out);
            escape_json_from(out, begin);
            break;
        }
        case RowSegment::Kind::form_value:
            append_percent_encoded(out, text_of(segment.column, row));
            break;
        case RowSegment::Kind::row_number: {
            char digits[20];
            out.append(digits, std::to_chars(digits, digits + sizeof(digits), number_).ptr);
            break;
        }
        default:
            write_shape(segment, row, out);
        }
    }
}

void RowWriter::write_member(const RowSegment &segment, const RowValues &row, std::string &out) {
    bool is_null = row.is_null(segment.column);
    if (is_null && null_as_ == NullAs::omit)
        return;
    // The sign before it is for those that are not the first.
    const bool is_first = is_form_ ? out.size() == begin_ : out.back() == '{';
    out += std::string_view(segment.text).substr(is_first ? 1 : 0);
    if (is_null)
        out += null_as_ == NullAs::clear ? clear_ : is_form_ ? "" : "null";
    else if (is_form_)
        append_percent_encoded(out, text_of(segment.column, row));
    else
        row.json(segment.column, out);
}

const std::string &RowWriter::text_of(int column, const RowValues &row) {
    text_.clear();
    append_text_of(column, row, text_);
    return text_;
}

void RowWriter::append_text_of(int column, const RowValues &row, std::string &out) const {
    if (row.is_null(column))
        throw ValueRefused("field \"" + operation_.field_of(column) +
                           "\" is null, but the request cannot be made without it");
    row.text(column, out);
}

} // namespace reverse_etl
