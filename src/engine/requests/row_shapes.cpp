/// What stands in a row besides values, members and texts: operations that need none of it never come here.
///
/// Values may come from Postgres, whose errors skip destructors: no local here may need one while a value is written.

#include "engine/requests/csv_cell.h"
#include "engine/requests/form_members.h"
#include "engine/requests/row_writer.h"
#include "engine/text/base64.h"
#include "engine/text/json_text.h"

#include <algorithm>

namespace reverse_etl {

void RowWriter::write_shape(const RowSegment &segment, const RowValues &row, std::string &out) {
    using Kind = RowSegment::Kind;
    const auto is_null = [&](int column) { return row.is_null(column); };
    const std::size_t begin = out.size();
    switch (segment.kind) {
    case Kind::raw:
        out += text_of(segment.column, row);
        break;
    case Kind::escaped:
        write_escaped(text_of(segment.column, row), operation_.spec().format.escape, out);
        break;
    case Kind::quoted:
        write_escaped(text_of(segment.column, row), operation_.spec().format.quoted, out);
        break;
    case Kind::comma:
        if (out.back() != '{' && out.back() != '[')
            out += ',';
        break;
    case Kind::ampersand:
        if (out.size() > begin_)
            out += '&';
        break;
    case Kind::unless_null:
        if (std::none_of(segment.columns.begin(), segment.columns.end(), is_null))
            write_segments(segment.inner, row, out);
        break;
    case Kind::unless_empty:
        if (segment.columns.empty())
            break;
        if (null_as_ != NullAs::omit || !std::all_of(segment.columns.begin(), segment.columns.end(), is_null))
            write_segments(segment.inner, row, out);
        break;
    case Kind::or_clear:
        if (row.is_null(segment.column))
            out += null_text();
        else
            write_segments(segment.inner, row, out);
        break;
    case Kind::or_text:
        if (row.is_null(segment.column))
            out += segment.text;
        else
            write_segments(segment.inner, row, out);
        break;
    case Kind::json_text:
        write_text(segment, row, out);
        append_json_string(out, taken_from(begin, out));
        break;
    case Kind::base64:
        write_text(segment, row, out);
        out += base64(taken_from(begin, out));
        break;
    case Kind::encoded:
        write_text(segment, row, out);
        append_percent_encoded(out, taken_from(begin, out));
        break;
    case Kind::csv_value:
        write_csv_value(segment, row, out);
        break;
    case Kind::cell:
        write_segments(segment.inner, row, out);
        if (out.find(BatchFrame::cell_end, begin) != out.npos)
            throw ValueRefused("field \"" + operation_.columns()[segment.column].field +
                               "\" holds a control character that no JSON may hold");
        out += BatchFrame::cell_end;
        break;
    case Kind::form_members:
        write_form_members(segment, row, out);
        break;
    default:
        break;
    }
}

/// The text from there on, taken out of the buffer.
const std::string &RowWriter::taken_from(std::size_t begin, std::string &out) {
    text_.assign(out, begin);
    out.resize(begin);
    return text_;
}

/// What stands for a NULL that is not left out.
std::string_view RowWriter::null_text() const {
    if (null_as_ == NullAs::clear)
        return is_form_ ? clear_form_ : clear_;
    return is_form_ ? "" : "null";
}

/// What is a text within the body, and in a form no parameter of it. An error leaves it to the next row to mend.
void RowWriter::write_text(const RowSegment &segment, const RowValues &row, std::string &out) {
    const bool was_form = is_form_;
    is_form_ = false;
    write_segments(segment.inner, row, out);
    is_form_ = was_form;
}

/// What would end a line, and with it what the template says, has to be escaped.
void RowWriter::write_escaped(const std::string &text, const Escapes &escapes, std::string &out) {
    for (const char c : text) {
        auto escape = escapes.find(c);
        if (escape != escapes.end())
            out += escape->second;
        else if (c == '\n' || c == '\r')
            throw ValueRefused("a text holds the end of a line, for which the destination's format has no other form");
        else
            out += c;
    }
}

void RowWriter::write_csv_value(const RowSegment &segment, const RowValues &row, std::string &out) {
    const CsvFormat &csv = operation_.spec().format.csv;
    const bool lacks_one =
        std::any_of(segment.columns.begin(), segment.columns.end(), [&](int column) { return row.is_null(column); });
    if (lacks_one || (segment.column >= 0 && row.is_null(segment.column))) {
        out += lacks_one || null_as_ == NullAs::omit ? csv.omitted : csv.null;
        return;
    }
    const std::size_t begin = out.size();
    write_segments(segment.inner, row, out);
    const std::string &value = taken_from(begin, out);
    // Many readers do not care for quotation marks around it.
    if (!value.empty() && (value == csv.null || value == csv.omitted))
        throw ValueRefused("the text \"" + value + "\" stands for NULL in the destination's format");
    append_csv_cell(out, value, csv);
}

void RowWriter::write_form_members(const RowSegment &segment, const RowValues &row, std::string &out) {
    const bool is_null = row.is_null(segment.column);
    if (is_null && null_as_ == NullAs::omit)
        return;
    text_.clear();
    if (!is_null)
        row.json(segment.column, text_);
    if (text_.starts_with('{') || text_.starts_with('[')) {
        append_form_members(out, begin_, segment.text, text_, operation_.spec().format.arrays);
        return;
    }
    if (out.size() > begin_)
        out += '&';
    out += segment.text;
    out += '=';
    if (is_null)
        out += null_text();
    else
        append_percent_encoded(out, text_of(segment.column, row));
}

} // namespace reverse_etl
