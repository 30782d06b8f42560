/// Bodies that are files: of lines, of text, or within a form of several parts.

#include "engine/requests/body_compiler.h"
#include "engine/requests/body_words.h"

#include "engine/requests/csv_cell.h"
#include "engine/text/json.h"
#include "engine/world/random.h"

#include <cstdio>

namespace reverse_etl {

namespace {

using Kind = RowSegment::Kind;

/// What separates the parts: nobody can foretell it, so no value can hold it.
std::string new_boundary() {
    char boundary[48];
    std::snprintf(boundary, sizeof(boundary), "reverse-etl-%08x%08x%08x%08x", Random::draw(), Random::draw(),
                  Random::draw(), Random::draw());
    return boundary;
}

/// A name within a header of a part, as browsers write it.
std::string in_header(const std::string &name) {
    std::string written = "\"";
    for (const char c : name)
        if (c == '"')
            written += "%22";
        else if (c == '\r')
            written += "%0D";
        else if (c == '\n')
            written += "%0A";
        else
            written += c;
    return written + "\"";
}

} // namespace

/// A line for each row, or several.
void BodyCompiler::lines_body(const Json &rows) {
    body_.media_type = "application/x-ndjson";
    const bool has_lines = rows.is_object() && rows.contains("$lines");
    for (const Json &line : has_lines ? rows["$lines"] : Json::array({rows})) {
        json(line, body_.row);
        append_literal(body_.row, "\n");
    }
}

void BodyCompiler::csv_body(const Json &rows) {
    const CsvFormat &csv = spec_.format.csv;
    body_.media_type = "text/csv; charset=utf-8";
    std::string header;
    auto add = [&](const std::string &name, RowSegment cell) {
        const std::string separator = body_.row.empty() ? "" : std::string(1, csv.separator);
        header += separator;
        append_csv_cell(header, name, csv);
        append_literal(body_.row, separator);
        body_.row.push_back(std::move(cell));
    };
    for (const auto &[name, value] : rows.items()) {
        if (name == "$columns")
            continue;
        RowSegment cell{Kind::csv_value};
        text_of(value, cell.inner);
        // Where the operation leaves members out that name a NULL, the cell is what is left out.
        if (std::optional<RowSegment> condition = condition_of(value))
            cell.columns = condition->columns;
        add(member_name(name), std::move(cell));
    }
    if (rows.contains("$columns"))
        for (const int column : columns_of(rows["$columns"])) {
            RowSegment cell{Kind::csv_value, "", column};
            const ColumnSpec *spec = object_.column_of_field(field_of(column));
            column_ = column;
            in_write_as_ = true;
            text_of(spec != nullptr && spec->write_as != nullptr ? *spec->write_as : Json("{column.value}"),
                    cell.inner);
            in_write_as_ = false;
            column_ = -1;
            add(field_of(column), std::move(cell));
        }
    append_literal(body_.row, csv.line_end);
    if (csv.header)
        body_.frame.prefix = header + csv.line_end;
}

void BodyCompiler::text_body(const Json &body) {
    body_.media_type = "text/plain; charset=utf-8";
    body_.one_row = !body.is_object();
    text((body_.one_row ? body : body["$rows"]).get<std::string>(), Place::escaped, body_.row);
    if (!body_.one_row)
        append_literal(body_.row, "\n");
}

void BodyCompiler::multipart_body(const Json &body) {
    const std::string boundary = new_boundary();
    RowSegments before, after;
    bool has_file = false;
    for (const auto &[written, value] : body.items()) {
        const bool is_file = value.is_object() && value.contains("$file");
        RowSegments &to = has_file ? after : before;
        std::string head =
            "--" + boundary + "\r\nContent-Disposition: form-data; name=" + in_header(member_name(written));
        if (!is_file) {
            std::optional<RowSegment> condition = condition_of(value);
            RowSegments &part = condition ? condition->inner : to;
            append_literal(part, head + "\r\n\r\n");
            text_of(value, part);
            append_literal(part, "\r\n");
            if (condition)
                to.push_back(std::move(*condition));
            continue;
        }
        has_file = true;
        file(value["$file"]);
        RowSegments name;
        text(value["$file"]["name"].get<std::string>(), Place::raw, name);
        append_literal(before, head + "; filename=" + in_header(name.empty() ? "" : name.front().text) +
                                   "\r\nContent-Type: " + body_.media_type + "\r\n\r\n");
        append_literal(after, "\r\n");
    }
    append_literal(after, "--" + boundary + "--\r\n");
    body_.media_type = "multipart/form-data; boundary=" + boundary;
    if (!has_file) {
        body_.one_row = true;
        body_.row = std::move(before);
        append_literal(body_.row, after.front().text);
        return;
    }
    body_.frame.prefix.insert(0, before.front().text);
    body_.frame.suffix += after.front().text;
}

/// The file of rows: its text goes into the body's row and frame.
void BodyCompiler::file(const Json &file) {
    switch (spec_.format.file) {
    case BodyKind::csv:
        csv_body(file["rows"]);
        break;
    case BodyKind::ndjson:
        lines_body(file["rows"]);
        break;
    default:
        json_body(Json{{"$rows", file["rows"]}});
    }
}

} // namespace reverse_etl
