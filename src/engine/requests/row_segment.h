#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A piece of a row's text. The row encoder runs through the segments for every row. Most rows need no other kinds than
/// those up to row_number; the others are written in row_shapes.cpp.
struct RowSegment {
    enum class Kind {
        literal,    ///< `text`, as it is
        value,      ///< the column's value, as JSON
        in_string,  ///< the column's value as text, escaped for the JSON string it stands in
        member,     ///< `text` (,"name": or &name=) and the column's value; left out as the table's NULL option says
        form_value, ///< the column's value as text, percent-encoded
        row_number, ///< the row's number, in digits

        raw,       ///< the column's value as text, as it is
        escaped,   ///< the same, with what the format escapes
        quoted,    ///< the same between quotation marks
        comma,     ///< unless an object or an array was just opened
        ampersand, ///< unless the row begins here

        unless_null,  ///< `inner`, unless one of `columns` is NULL
        unless_empty, ///< `inner`, unless all of `columns` are NULL and the table leaves NULLs out
        or_clear,     ///< `inner`, or what stands for NULL where the column is that
        or_text,      ///< `inner`, or `text` where the column is NULL

        json_text, ///< `inner`, as a JSON string that holds it
        base64,    ///< `inner`, in base64
        encoded,   ///< `inner`, percent-encoded

        csv_value,    ///< `inner` as a cell of a table; where the column is NULL, the word for that
        cell,         ///< `inner` as a value of an array that spans rows
        form_members, ///< `text` (name) and the column's value, its objects and arrays as members
    } kind;
    std::string text = {};
    int column = -1;
    std::vector<RowSegment> inner = {};
    std::vector<int> columns = {};
};

using RowSegments = std::vector<RowSegment>;

/// Appends text that is the same in all rows.
inline void append_literal(RowSegments &out, std::string_view text) {
    if (out.empty() || out.back().kind != RowSegment::Kind::literal)
        out.push_back({RowSegment::Kind::literal, "", -1});
    out.back().text += text;
}

} // namespace reverse_etl
