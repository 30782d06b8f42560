#include "engine/manifest/object_checks.h"

#include "engine/manifest/body_reader.h"
#include "engine/manifest/column_names.h"
#include "engine/manifest/column_reader.h"
#include "engine/manifest/format_reader.h"
#include "engine/manifest/operation_merging.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace reverse_etl {

namespace {

/// The columns that the object has, its own and all objects', by their fields.
std::map<std::string, ManifestNode> columns_of(const ManifestNode &manifest, const ManifestNode &object) {
    std::map<std::string, ManifestNode> columns;
    for (const ManifestNode &node : {object, manifest})
        if (node.has("columns"))
            for (const auto &[field, column] : node.at("columns").members())
                columns.emplace(field, column);
    std::erase_if(columns, [](const auto &column) { return column.second.value().is_null(); });
    return columns;
}

bool has_operation_of_its_own(const ManifestNode &node, const std::string &name) {
    return node.has("operations") && node.at("operations").has(name);
}

bool has_operation(const ManifestNode &manifest, const ManifestNode &object, const std::string &name) {
    return !takes_out(object.value(), "operations", name) &&
           (has_operation_of_its_own(object, name) || has_operation_of_its_own(manifest, name));
}

/// Whether it may have columns that the manifest does not list.
bool finds_fields(const ManifestNode &manifest, const ManifestNode &object) {
    if (object.has("discover"))
        return object.at("discover").value() != false;
    return manifest.has("discover") && manifest.at("discover").has("fields");
}

using Kinds = std::vector<OperationKind>;
const Kinds writes = {OperationKind::create, OperationKind::update, OperationKind::upsert, OperationKind::remove};
const Kinds of_rows = {OperationKind::create, OperationKind::update, OperationKind::upsert, OperationKind::remove,
                       OperationKind::lookup};
/// Members that only some operations have.
const std::map<std::string, Kinds> kinds_of_member = {
    {"by", {OperationKind::update, OperationKind::upsert, OperationKind::remove, OperationKind::lookup}},
    {"outcome", writes},
    {"group_by", writes},
    {"idempotency_key", writes},
    {"rows", of_rows},
    {"rows_by_table", of_rows},
    {"bytes", of_rows},
    {"compress", of_rows},
    {"omit_null", of_rows},
    {"archives", {OperationKind::remove}},
    {"records", {OperationKind::lookup, OperationKind::list}},
    {"none_when", {OperationKind::lookup, OperationKind::list}},
    {"next", {OperationKind::list}},
    {"filter", {OperationKind::list}},
    {"job", writes},
};

std::string names_of(const Kinds &kinds) {
    std::string names;
    for (OperationKind kind : kinds)
        names += (names.empty() ? "\"" : ", \"") + std::string(operation_name(kind)) + "\"";
    return names;
}

/// Why nothing stands for the placeholder in an operation of that kind; "" if something does.
std::string misfit(const std::string &name, OperationKind kind) {
    const bool of_row = name == "key" || name == "keys" || name == "key_field" || name == "unique_field" ||
                        name == "row_number" || name.starts_with("row.");
    if (kind == OperationKind::list && of_row)
        return "a \"list\" has no rows";
    if (kind != OperationKind::list && name == "cursor")
        return "only a \"list\" has pages";
    if (!is_read_only(kind) && name == "fields")
        return "only a \"lookup\" and a \"list\" ask for fields";
    if (is_read_only(kind) && (name == "request.id" || name == "entry.id"))
        return "what reads has no id, by which the destination would take it for a write";
    return "";
}

void check_texts(const ManifestNode &node, OperationKind kind) {
    if (node.value().is_string())
        for (const TextPart &part : split_placeholders(node.text()))
            if (const std::string why = part.is_placeholder ? misfit(part.text, kind) : ""; !why.empty())
                node.fail("nothing stands for \"{" + part.text + "}\" here: " + why);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_texts(element, kind);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            check_texts(member, kind);
}

} // namespace

void check_object_names(const ManifestNode &objects) {
    std::map<std::string, std::string> tables;
    for (const auto &[name, object] : objects.members()) {
        if (name.empty())
            object.fail("must have a name");
        if (auto [other, is_new] = tables.emplace(as_name(lower_case(name)), name); !is_new)
            object.fail("would be the table \"" + other->first + "\", as \"" + other->second + "\" is");
    }
}

void check_names_of_object(const ManifestNode &manifest, const ManifestNode &object) {
    const std::map<std::string, ManifestNode> columns = columns_of(manifest, object);
    // Without any, the columns are those of the table that somebody makes.
    auto check_field = [&](const ManifestNode &node) {
        const std::string field = node.literal();
        if (field.empty())
            node.fail("must name a field");
        const std::optional<std::string> option = sole_placeholder(node.text());
        if (option && node.may_be_set_later(*option))
            return;
        if (!columns.empty() && !columns.contains(field) && !finds_fields(manifest, object))
            node.fail("names the field \"" + field + "\", which is not among the \"columns\" of " + object.pointer());
    };
    if (object.has("id") || manifest.has("id"))
        check_field((object.has("id") ? object : manifest).at("id"));
    if (object.has("key"))
        for (const ManifestNode &field : object.at("key").one_or_many())
            check_field(field);
    for (const auto &[name, kind] : operation_names)
        for (const ManifestNode &node : {object, manifest})
            if (!is_read_only(kind) && has_operation(manifest, object, name) && has_operation_of_its_own(node, name) &&
                node.at("operations").at(name).has("group_by"))
                for (const ManifestNode &field : node.at("operations").at(name).at("group_by").one_or_many())
                    check_field(field);
    const ManifestNode &looked_up = has_operation_of_its_own(object, "lookup") ? object : manifest;
    if (has_operation_of_its_own(looked_up, "lookup"))
        for (const ManifestNode &lookup : lookups_in(looked_up.at("operations").at("lookup"), OperationKind::lookup))
            if (lookup.has("by") && lookup.at("by").value().is_array())
                for (const ManifestNode &field : lookup.at("by").elements())
                    check_field(field);
    if (!object.has("insert"))
        return;
    const std::string insert = object.at("insert").text();
    if (!has_operation(manifest, object, insert))
        object.at("insert").fail("names the operation \"" + insert + "\", which the object does not have");
    if (insert == "upsert" && !object.has("key"))
        object.at("insert").fail("needs a \"key\", by which an upsert finds its row");
}

void check_columns_of_object(const ManifestNode &manifest, const ManifestNode &object) {
    const std::map<std::string, ManifestNode> columns = columns_of(manifest, object);
    if (columns.size() > most_columns)
        object.fail("has " + std::to_string(columns.size()) + " columns, and a table may have " +
                    std::to_string(most_columns));
    std::map<std::string, std::string> fields;
    for (const auto &[field, node] : columns) {
        const std::string name = as_name(read_column(field, node, "").column);
        if (name.empty())
            node.fail("needs a \"column\", since a column must have a name");
        if (auto [other, is_new] = fields.emplace(name, field); !is_new)
            node.fail("would be the column \"" + name + "\" of " + object.pointer() + ", as \"" + other->second +
                      "\" is: give one of them another name by \"column\"");
    }
}

void check_members_fit(const ManifestNode &operation, OperationKind kind) {
    for (const auto &[name, member] : operation.members())
        if (auto known = kinds_of_member.find(name);
            known != kinds_of_member.end() &&
            std::find(known->second.begin(), known->second.end(), kind) == known->second.end())
            member.fail("means nothing to a \"" + std::string(operation_name(kind)) + "\": it is a member of " +
                        names_of(known->second));
}

void check_has_request(const ManifestNode &operation) {
    if (!operation.has("job"))
        operation.at("request");
    if (operation.has("body") && !operation.has("request"))
        operation.at("body").fail("needs a \"request\" beside it: a job has its own");
}

void check_parts_are_known(const ManifestNode &manifest, const ManifestNode &object, const ManifestNode &operation) {
    if (!operation.has("body"))
        return;
    std::set<std::string> known;
    if (manifest.has("values"))
        known.insert(manifest.at("values").literal("part", ""));
    for (const auto &[field, column] : columns_of(manifest, object))
        if (column.value().is_object())
            known.insert(column.literal("part", ""));
    for (const std::string &part : parts_of(operation.at("body").value()))
        if (!known.contains(part))
            operation.at("body").fail("places the part \"" + part + "\", which no column of the object has");
}

void check_secrets_fit(const ManifestNode &manifest, const ManifestNode &operation) {
    const auto ways = manifest.at("auth").one_or_many();
    if (!operation.has("body") || std::none_of(ways.begin(), ways.end(), [](const ManifestNode &auth) {
            return auth.has("body") && auth.at("kind").value() != "login";
        }))
        return;
    BodyFormat format;
    if (operation.has("format"))
        read_format(operation.at("format"), format);
    if (format.kind != BodyKind::json && format.kind != BodyKind::form)
        operation.at("format").fail(
            "has no place for what \"auth\" puts into the body; \"json\" and \"form\" have one");
    if (operation.has("compress") && operation.at("compress").value() == "gzip")
        operation.at("compress").fail("leaves no place for what \"auth\" puts into the body");
}

void check_placeholders_fit(const ManifestNode &operation, OperationKind kind) {
    for (const char *name : {"request", "query", "body"})
        if (operation.has(name))
            check_texts(operation.at(name), kind);
    const bool is_in_body = operation.has("idempotency_key") && operation.at("idempotency_key").value().is_object();
    if (is_in_body && !operation.has("body") && !is_read_only(kind))
        operation.at("idempotency_key").fail("goes into a body, and the operation has none");
}

} // namespace reverse_etl
