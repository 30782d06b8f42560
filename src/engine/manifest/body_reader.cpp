#include "engine/manifest/body_reader.h"

#include "engine/manifest/page_body_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <string>
#include <vector>

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_row = {"{key}",       "{key_field}",  "{unique_field}", "{row_number}",
                                     "{row.FIELD}", "{request.id}", "{entry.id}"};
constexpr PlaceholderNames around_rows = {"{key_field}", "{unique_field}", "{request.id}"};
constexpr PlaceholderNames around_groups = {"{key_field}", "{unique_field}", "{request.id}", "{row.FIELD}"};

using Fields = std::vector<std::string>;

/// The nodes of a body where rows stand.
std::vector<ManifestNode> rows_of(const ManifestNode &node) {
    std::vector<ManifestNode> found;
    auto add = [&](const ManifestNode &inner) {
        for (const ManifestNode &rows : rows_of(inner))
            found.push_back(rows);
    };
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            add(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name == "$rows")
                found.push_back(member);
            add(member);
        }
    return found;
}

/// Beside the rows stands what all of them have in common.
void check_beside_rows(const ManifestNode &node, const Fields &group_by) {
    node.template_text(group_by.empty() ? around_rows : around_groups);
    for (const TextPart &part : split_placeholders(node.text()))
        if (part.is_placeholder && part.text.starts_with("row.") &&
            std::find(group_by.begin(), group_by.end(), part.text.substr(4)) == group_by.end())
            node.fail("\"{" + part.text + "}\" stands beside the rows, so \"group_by\" has to name the field");
}

void check_template(const ManifestNode &node, bool speaks_of_row, const Fields &group_by) {
    if (node.value().is_string() && sole_placeholder(node.text()) != "fields" && speaks_of_row)
        node.template_text(of_row);
    else if (node.value().is_string() && sole_placeholder(node.text()) != "fields")
        check_beside_rows(node, group_by);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_template(element, speaks_of_row, group_by);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name == "$columns") {
                member.one_of({"all"});
                if (!speaks_of_row)
                    member.fail("must stand within \"$rows\"");
            } else if (name == "$rows") {
                if (node.value().size() != 1)
                    member.fail("must be the only member of its object");
                check_template(member, true, group_by);
            } else if (name == "$number") {
                if (node.value().size() != 1)
                    member.fail("must be the only member of its object");
                if (member.text() != "{row_number}" || !speaks_of_row)
                    member.fail("must be \"{row_number}\", and stand where a body speaks of a row");
            } else if (name.starts_with("$")) {
                member.fail("is no directive; the directives are \"$rows\", \"$columns\" and \"$number\"");
            } else {
                member.literal_name(name);
                check_template(member, speaks_of_row, group_by);
            }
        }
}

} // namespace

void check_body(const ManifestNode &node, OperationKind kind, const std::vector<std::string> &group_by) {
    if (kind == OperationKind::list) {
        check_page_body(node);
        return;
    }
    const std::vector<ManifestNode> rows = rows_of(node);
    if (rows.size() > 1)
        rows[1].fail("must stand in a body only once");
    if (rows.empty() && !group_by.empty())
        node.fail("holds one row, since it has no \"$rows\": \"group_by\" means nothing to it");
    check_template(node, rows.empty(), group_by);
}

} // namespace reverse_etl
