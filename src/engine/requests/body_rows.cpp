/// The directives by which rows and columns stand in a JSON body.

#include "engine/requests/body_compiler.h"
#include "engine/requests/body_words.h"

#include "engine/text/json.h"

#include <utility>

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

/// What stands for NULL where something has to stand.
std::string null_of(const Json &how) {
    if (!how.contains("null"))
        return "null";
    const Json &null = how["null"];
    const auto nothing = [](const std::string &) { return std::nullopt; };
    return null.is_string() ? json_quoted(substitute(null.get<std::string>(), nothing)) : null.dump();
}

} // namespace

/// Whether the value is where rows stand. Their text goes into the body's row; what is around it stays in `out`.
bool BodyCompiler::rows(const Json &value, RowSegments &out) {
    if (!value.is_object() || !(value.contains("$rows") || value.contains("$map")))
        return false;
    holds_rows_ = true;
    body_.frame.separator = ",";
    const bool around = std::exchange(beside_rows_, false);
    if (value.contains("$map")) {
        rows_by_name(value["$map"], out);
    } else {
        append_literal(out, "[");
        json(value["$rows"], body_.row);
        out.push_back({Kind::literal, "]"});
    }
    beside_rows_ = around;
    return true;
}

void BodyCompiler::rows_by_name(const Json &map, RowSegments &out) {
    append_literal(out, "{");
    append_literal(body_.row, "\"");
    text(map["name"].get<std::string>(), Place::json_string, body_.row);
    append_literal(body_.row, "\":");
    json(map["row"], body_.row);
    out.push_back({Kind::literal, "}"});
}

/// Whether the value is columns in another shape than that of members.
bool BodyCompiler::shaped_columns(const Json &value, RowSegments &out) {
    if (!value.is_object() || !value.contains("$columns") || !value["$columns"].is_object())
        return false;
    const Json &how = value["$columns"];
    if (!how.contains("as"))
        return false;
    if (how["as"] == "arrays") {
        columns_as_arrays(how, out);
        return true;
    }
    if (!how["as"].is_string()) {
        columns_as_pairs(how, out);
        return true;
    }
    append_literal(out, "[");
    const char *separator = "";
    for (const int column : columns_of(how)) {
        append_literal(out, std::exchange(separator, ","));
        if (how["as"] == "names") {
            append_literal(out, json_quoted(field_of(column)));
            continue;
        }
        RowSegment cell{Kind::or_text, null_of(how), column};
        value_of(column, cell.inner);
        out.push_back(std::move(cell));
    }
    append_literal(out, "]");
    return true;
}

/// An array for each column, with a value of each row. A row's text is its cells, which the batch puts together.
void BodyCompiler::columns_as_arrays(const Json &how, RowSegments &out) {
    holds_rows_ = column_wise_ = true;
    append_literal(out, "{");
    const char *separator = "";
    int number = 0;
    for (const int column : columns_of(how)) {
        column_ = column;
        number_ = std::to_string(++number);
        append_literal(out, std::exchange(separator, ","));
        append_literal(out, "\"");
        text(how.value("name", "{column.field}"), Place::json_string, out);
        append_literal(out, "\":");
        json(how.contains("value") ? how["value"] : Json("{column.values}"), out);
        RowSegment cell{Kind::cell, "", column}, value{Kind::or_text, null_of(how), column};
        value_of(column, value.inner);
        cell.inner.push_back(std::move(value));
        body_.row.push_back(std::move(cell));
    }
    column_ = -1;
    append_literal(out, "}");
}

void BodyCompiler::columns_as_pairs(const Json &how, RowSegments &out) {
    append_literal(out, "[");
    int number = 0;
    for (const int column : columns_of(how)) {
        column_ = column;
        number_ = std::to_string(++number);
        RowSegment pair{Kind::unless_empty};
        pair.columns = {column};
        pair.inner.push_back({Kind::comma});
        json(how["as"], pair.inner);
        out.push_back(std::move(pair));
    }
    column_ = -1;
    append_literal(out, "]");
}

/// The column as a member of an object.
void BodyCompiler::member(int column, RowSegments &out) {
    const ColumnSpec *spec = object_.column_of_field(field_of(column));
    const std::string name = json_quoted(field_of(column)) + ":";
    if (spec == nullptr || spec->write_as == nullptr) {
        out.push_back({Kind::member, "," + name, column});
        return;
    }
    RowSegment member{Kind::unless_empty}, value{Kind::or_clear, "", column};
    member.columns = {column};
    member.inner = {{Kind::comma}, {Kind::literal, name}};
    value_of(column, value.inner);
    member.inner.push_back(std::move(value));
    out.push_back(std::move(member));
}

/// The column's value where it is not NULL: as the column's template says, if it has one.
void BodyCompiler::value_of(int column, RowSegments &out) {
    const ColumnSpec *spec = object_.column_of_field(field_of(column));
    if (in_write_as_ || spec == nullptr || spec->write_as == nullptr) {
        out.push_back({Kind::value, "", column});
        return;
    }
    const int around = std::exchange(column_, column);
    in_write_as_ = true;
    json(*spec->write_as, out);
    in_write_as_ = false;
    column_ = around;
}

} // namespace reverse_etl
