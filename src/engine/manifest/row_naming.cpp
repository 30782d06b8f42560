#include "engine/manifest/row_naming.h"

#include "engine/manifest/job_spec.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

/// The placeholders of a text. An option without a value yet that may bring placeholders of its own counts as "key".
void find_names(const ManifestNode &node, std::string_view text, std::set<std::string> &names) {
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            continue;
        const bool may_be_any = node.may_be_set_later(part.text, {OptionSpec::Type::path, OptionSpec::Type::json});
        names.insert(may_be_any ? "key" : part.text);
    }
}

void find_names_in_body(const ManifestNode &node, const Json &body, std::set<std::string> &names) {
    if (body.is_string())
        find_names(node, body.get_ref<const std::string &>(), names);
    else if (body.is_structured())
        for (const Json &member : body)
            find_names_in_body(node, member, names);
}

} // namespace

void check_names_row(const ManifestNode &node, const OperationSpec &spec, const std::vector<std::string> &key,
                     const std::string &id, const std::vector<DerivedSpec> &derived) {
    if (spec.kind != OperationKind::update && spec.kind != OperationKind::remove && spec.kind != OperationKind::lookup)
        return;
    if (spec.has_only_job()) {
        check_names_row(node.at("job"), spec.job->step_with_rows().request.spec, key, id, derived);
        return;
    }
    std::set<std::string> names;
    find_names(node, spec.path, names);
    for (const QueryParameter &parameter : spec.query)
        find_names(node, parameter.value, names);
    if (spec.body != nullptr)
        find_names_in_body(node, *spec.body, names);
    for (const DerivedSpec &one : derived)
        if (names.contains("row." + one.name))
            names.insert("row." + one.from);
    const auto has_field = [&](const std::string &field) { return names.contains("row." + field); };
    if (!spec.by_fields.empty()) {
        const bool is_value_of_one = spec.by_fields.size() == 1 && (names.contains("key") || names.contains("keys"));
        if (!is_value_of_one && !std::all_of(spec.by_fields.begin(), spec.by_fields.end(), has_field))
            node.fail("names no row by its \"by\": \"{row.FIELD}\" of each of these fields must stand in its path, its "
                      "query or its body");
        return;
    }
    const bool has_any_field = names.lower_bound("row.") != names.lower_bound("row/");
    bool names_row = names.contains("key") || names.contains("keys");
    if (key.empty() && id.empty())
        names_row |= has_any_field;
    names_row |= !key.empty() && std::all_of(key.begin(), key.end(), has_field);
    names_row |= !id.empty() && has_field(id);
    if (names_row)
        return;
    if (has_any_field)
        node.fail(
            "names no single row: \"{key}\", \"{keys}\" or \"{row.FIELD}\" of the object's id, or of all fields of "
            "its key, must stand in its path, its query or its body, or it would be about several rows");
    node.fail("names no row: \"{key}\", \"{keys}\" or \"{row.FIELD}\" must stand in its path, its query or its "
              "body, or it would be about all rows at once");
}

} // namespace reverse_etl
