#include "engine/manifest/body_reader.h"

#include "engine/manifest/body_template.h"
#include "engine/manifest/format_reader.h"
#include "engine/manifest/page_body_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <string>
#include <vector>

namespace reverse_etl {

namespace {

bool is_option_to_come(const ManifestNode &node) {
    const std::optional<std::string> sole = node.value().is_string() ? sole_placeholder(node.text()) : std::nullopt;
    return sole && node.may_be_set_later(*sole);
}

/// The rows of a body that is nothing else.
ManifestNode only_rows(const ManifestNode &node) {
    if (!node.value().is_object() || node.value().size() != 1 || !node.has("$rows"))
        node.fail("must be {\"$rows\": ...} and nothing else, since its format is one of lines");
    return node.at("$rows");
}

void check_lines(const ManifestNode &rows) {
    if (!rows.has("$lines")) {
        check_template(rows, {.of_row = true, .no_rows = true});
        return;
    }
    if (rows.value().size() != 1)
        rows.fail("must have no other member beside \"$lines\"");
    if (rows.at("$lines").elements().empty())
        rows.at("$lines").fail("must not be empty");
    for (const ManifestNode &line : rows.at("$lines").elements())
        check_template(line, {.of_row = true, .no_rows = true});
}

/// The cells of a line are its members.
void check_csv(const ManifestNode &rows) {
    if (!rows.value().is_object() || rows.value().empty())
        rows.fail("must be an object whose members are the cells of a line");
    check_template(rows, {.of_row = true, .no_rows = true});
    for (const auto &[name, cell] : rows.members()) {
        if (name == "$columns" && cell.value().is_object())
            cell.only({"part"});
        if (name.starts_with("$") && !name.starts_with("$$") && name != "$columns")
            cell.fail("must not stand among the cells of a line, but in one of them");
    }
}

void check_rows_of_file(const ManifestNode &rows, BodyKind kind) {
    if (is_option_to_come(rows))
        return;
    if (kind == BodyKind::csv)
        check_csv(rows);
    else if (kind == BodyKind::ndjson)
        check_lines(rows);
    else
        check_template(rows, {.of_row = true, .no_rows = true});
}

void check_multipart(const ManifestNode &node, BodyFormat &format) {
    std::vector<ManifestNode> files;
    for (const auto &[name, part] : node.members())
        if (part.has("$file"))
            files.push_back(part.at("$file"));
    if (files.size() > 1)
        files[1].fail("must stand in a body only once");
    for (const auto &[name, part] : node.members()) {
        part.literal_name(name);
        if (name.starts_with("$") && !name.starts_with("$$"))
            part.fail("must not stand among the parts of a form, but in one of them");
        if (!part.has("$file")) {
            check_template(part, {.of_row = files.empty(), .no_rows = true});
            continue;
        }
        const ManifestNode file = part.at("$file");
        if (part.value().size() != 1)
            file.fail("must be the only member of its object");
        file.only({"name", "format", "rows"});
        check_text(file.at("name"), {});
        if (file.has("format"))
            read_file_format(file.at("format"), format);
        check_rows_of_file(file.at("rows"), format.file);
    }
}

/// Whether it is about all rows of a request, and not about one.
bool holds_rows(const ManifestNode &node, BodyKind kind) {
    if (kind == BodyKind::json)
        return !rows_of(node).empty();
    if (kind == BodyKind::text)
        return node.value().is_object();
    const std::vector<std::pair<std::string, ManifestNode>> parts = node.members();
    return kind != BodyKind::multipart ||
           std::any_of(parts.begin(), parts.end(), [](const auto &part) { return part.second.has("$file"); });
}

void check_text_body(const ManifestNode &node) {
    const bool has_rows = node.value().is_object();
    check_text(has_rows ? only_rows(node) : node, {.of_row = true});
}

} // namespace

void check_body(const ManifestNode &node, OperationKind kind, BodyFormat &format,
                const std::vector<std::string> &group_by) {
    if (kind == OperationKind::list) {
        if (format.kind == BodyKind::text && !node.value().is_string())
            node.fail("must be a text, as the operation's format says");
        if (format.kind != BodyKind::json && format.kind != BodyKind::form && format.kind != BodyKind::text)
            node.fail("cannot be written in the operation's format: the body of a list is \"json\", \"form\" or "
                      "\"text\"");
        check_page_body(node);
        return;
    }
    if (is_option_to_come(node))
        return;
    if (!group_by.empty() && !holds_rows(node, format.kind))
        node.fail("holds one row, since it has no \"$rows\": \"group_by\" means nothing to it");
    switch (format.kind) {
    case BodyKind::json:
        check_json(node, group_by);
        break;
    case BodyKind::form:
        check_form(node);
        break;
    case BodyKind::ndjson:
    case BodyKind::csv:
        check_rows_of_file(only_rows(node), format.kind);
        break;
    case BodyKind::multipart:
        check_multipart(node, format);
        break;
    case BodyKind::text:
        check_text_body(node);
        break;
    }
}

void check_column_template(const ManifestNode &node) {
    check_template(node, {.of_column = true, .no_rows = true});
}

std::set<std::string> parts_of(const Json &body) {
    std::set<std::string> parts;
    if (body.is_object() && body.contains("$columns") && body["$columns"].is_object() &&
        body["$columns"].contains("part") && body["$columns"]["part"].is_string())
        parts.insert(body["$columns"]["part"].get<std::string>());
    if (body.is_structured())
        for (const Json &member : body)
            parts.merge(parts_of(member));
    return parts;
}

} // namespace reverse_etl
