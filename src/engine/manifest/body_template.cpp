#include "engine/manifest/body_template.h"

#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <string>
#include <vector>

namespace reverse_etl {

namespace {

constexpr PlaceholderNames of_row = {"{key}",       "{key_field}",  "{unique_field}", "{row_number}",
                                     "{row.FIELD}", "{request.id}", "{entry.id}"};
constexpr PlaceholderNames of_row_in_text = {"{key}", "{key_field}", "{unique_field}", "{row_number}", "{row.FIELD}"};
constexpr PlaceholderNames around_rows = {"{key_field}", "{unique_field}", "{request.id}"};
constexpr PlaceholderNames around_groups = {"{key_field}", "{unique_field}", "{request.id}", "{row.FIELD}"};
constexpr PlaceholderNames around_rows_in_text = {"{key_field}", "{unique_field}"};
constexpr PlaceholderNames of_column = {"{column.field}", "{column.value}"};
constexpr PlaceholderNames of_pair = {"{column.field}", "{column.number}", "{column.value}"};
constexpr PlaceholderNames of_columns = {"{column.field}", "{column.number}", "{column.values}"};

PlaceholderNames names_of(const TemplatePlace &place) {
    if (place.of_columns)
        return of_columns;
    if (place.of_column)
        return place.of_row ? of_pair : of_column;
    if (place.in_text)
        return place.of_row ? of_row_in_text : around_rows_in_text;
    if (place.of_row)
        return of_row;
    return place.group_by != nullptr ? around_groups : around_rows;
}

/// Beside the rows stands what all of them have in common.
void check_is_common(const ManifestNode &node, const std::vector<std::string> &group_by) {
    for (const TextPart &part : split_placeholders(node.text()))
        if (part.is_placeholder && part.text.starts_with("row.") &&
            std::find(group_by.begin(), group_by.end(), part.text.substr(4)) == group_by.end())
            node.fail("\"{" + part.text + "}\" stands beside the rows, so \"group_by\" has to name the field");
}

void must_be_alone(const ManifestNode &node, const ManifestNode &directive) {
    if (node.value().size() != 1)
        directive.fail("must be the only member of its object");
}

int count_of_values(const ManifestNode &node) {
    if (node.value().is_string())
        return node.value() == "{column.values}" ? 1 : 0;
    int count = 0;
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            count += count_of_values(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            count += count_of_values(member);
    return count;
}

void check_arrays(const ManifestNode &columns, const TemplatePlace &place) {
    columns.only({"part", "as", "null", "name", "value"});
    if (place.no_rows)
        columns.fail("cannot be arrays here: rows stand in a body once, and not within a text");
    if (columns.has("name")) {
        check_text(columns.at("name"), {.of_columns = true});
        if (columns.at("name").text().find("{column.values}") != std::string::npos)
            columns.at("name").fail("is a name, which no values can be");
    }
    if (!columns.has("value"))
        return;
    check_template(columns.at("value"), {.of_columns = true, .no_rows = true});
    if (count_of_values(columns.at("value")) != 1)
        columns.at("value").fail("must hold \"{column.values}\" once, as a value of its own");
}

/// "$columns" as an object: which columns, and in what shape.
void check_columns(const ManifestNode &node, const ManifestNode &columns, const TemplatePlace &place) {
    columns.only({"part", "as", "null", "name", "value"});
    if (columns.value().empty())
        columns.fail("must be \"all\", or say by \"part\" or \"as\" which columns and in what shape");
    if (columns.has("part"))
        columns.at("part").plain_name();
    const bool needs_row =
        !columns.has("as") || !columns.at("as").value().is_string() || columns.at("as").value() == "values";
    if (needs_row && !place.of_row)
        columns.fail("must stand within \"$rows\"");
    if (!columns.has("as")) {
        columns.only({"part"});
        return;
    }
    must_be_alone(node, columns);
    const ManifestNode as = columns.at("as");
    if (columns.has("null"))
        columns.at("null").scalar();
    if (!as.value().is_string()) {
        columns.only({"part", "as"});
        check_template(as, {.of_row = true, .of_column = true, .no_rows = true});
        return;
    }
    switch (as.one_of({"values", "names", "arrays"})) {
    case 0:
        columns.only({"part", "as", "null"});
        break;
    case 1:
        columns.only({"part", "as"});
        break;
    default:
        check_arrays(columns, place);
    }
}

void check_map(const ManifestNode &map) {
    map.only({"name", "row"});
    const std::string name = map.at("name").template_text(of_row);
    const std::vector<TextPart> parts = split_placeholders(name);
    if (std::none_of(parts.begin(), parts.end(), [](const TextPart &part) {
            return part.is_placeholder && (part.text == "key" || part.text == "row_number");
        }))
        map.at("name").fail("must hold \"{key}\" or \"{row_number}\": two rows cannot have one name");
    check_template(map.at("row"), {.of_row = true, .no_rows = true});
}

void check_member(const ManifestNode &node, const std::string &name, const ManifestNode &member,
                  const TemplatePlace &place) {
    if (name == "$columns") {
        if (place.of_column || place.of_columns)
            member.fail("must not stand in what is written for one column");
        if (member.value().is_object()) {
            check_columns(node, member, place);
            return;
        }
        if (!member.value().is_string())
            member.fail(
                "must be \"all\", or an object that says by \"part\" or \"as\" which columns and in what shape");
        member.one_of({"all"});
        if (!place.of_row)
            member.fail("must stand within \"$rows\"");
    } else if (name == "$rows" || name == "$map") {
        must_be_alone(node, member);
        if (place.no_rows)
            member.fail("must not stand here: rows stand in a body once, and not within a text");
        if (name == "$map")
            check_map(member);
        else
            check_template(member, {.of_row = true, .no_rows = true});
    } else if (name == "$json" || name == "$base64") {
        must_be_alone(node, member);
        TemplatePlace within = place;
        within.no_rows = within.in_text = true;
        check_template(member, within);
    } else if (name == "$number") {
        must_be_alone(node, member);
        if (member.text() != "{row_number}" || !place.of_row || place.of_column)
            member.fail("must be \"{row_number}\", and stand where a body speaks of a row");
    } else if (name == "$lines") {
        member.fail("must be all that \"$rows\" holds, and stands in the format \"ndjson\" only");
    } else if (name == "$file") {
        member.fail("must be a member of the body, and stands in the format \"multipart\" only");
    } else if (name.starts_with("$") && !name.starts_with("$$")) {
        member.fail("is no directive; the directives are \"$rows\", \"$map\", \"$columns\", \"$number\", \"$json\", "
                    "\"$base64\", \"$lines\" and \"$file\"; the member \"" +
                    name + "\" is written \"$" + name + "\"");
    } else {
        member.literal_name(name);
        check_template(member, place);
    }
}

/// A form has parameters, and one row.
void check_parameters(const ManifestNode &node) {
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements()) {
            check_template(element, {.of_row = true, .no_rows = true, .in_text = true});
            check_parameters(element);
        }
    if (!node.value().is_object())
        return;
    for (const auto &[name, member] : node.members()) {
        if (name == "$rows" || name == "$map")
            member.fail("must not stand in a form, which is about one row");
        if (name == "$columns" && member.value().is_object())
            member.only({"part"});
        check_parameters(member);
    }
}

} // namespace

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
            if (name == "$rows" || name == "$map" ||
                (name == "$columns" && member.has("as") && member.at("as").value() == "arrays"))
                found.push_back(member);
            add(member);
        }
    return found;
}

void check_text(const ManifestNode &node, const TemplatePlace &place) {
    node.template_text(names_of(place));
    if (!place.of_row && place.group_by != nullptr)
        check_is_common(node, *place.group_by);
}

void check_template(const ManifestNode &node, const TemplatePlace &place) {
    if (node.value().is_string() && sole_placeholder(node.text()) != "fields")
        check_text(node, place);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_template(element, place);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            check_member(node, name, member, place);
}

void check_json(const ManifestNode &node, const std::vector<std::string> &group_by) {
    const std::vector<ManifestNode> rows = rows_of(node);
    if (rows.size() > 1)
        rows[1].fail("must stand in a body only once");
    check_template(node, {.of_row = rows.empty(), .group_by = group_by.empty() ? nullptr : &group_by});
}

void check_form(const ManifestNode &node) {
    check_template(node, {.of_row = true});
    check_parameters(node);
}

} // namespace reverse_etl
