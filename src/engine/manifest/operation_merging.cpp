#include "engine/manifest/operation_merging.h"

#include "engine/manifest/by_reader.h"
#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"

#include <string>

namespace reverse_etl {

namespace {

/// More ways to name a row has no API.
constexpr std::size_t most_lookups = 8;

bool is_lookup_form(const Json &operation) {
    return member(operation, "by") == "lookup";
}

} // namespace

Json merged(const Json &defaults, const Json &shared, const Json &own) {
    // An upsert that is a look-up has no requests of its own: nothing of another form of it goes with it.
    const Json of_operation = is_another_form(shared, own) ? own : overlay(shared, own);
    if (is_lookup_form(of_operation))
        return of_operation;
    Json merged = overlay(defaults, of_operation);
    for (const char *list : {"errors", "rate_limits"})
        if (of_operation.contains(list) && merged[list].is_array() && member(defaults, list).is_array())
            for (const Json &one : member(defaults, list))
                merged[list].push_back(one);
    return merged;
}

Json overlay(const Json &lower, const Json &upper) {
    Json result = lower.is_object() ? lower : Json::object();
    if (upper.is_object())
        for (const auto &[name, value] : upper.items())
            result[name] = value;
    return result;
}

const Json &member(const Json &object, const char *name) {
    static const Json nothing;
    return object.is_object() && object.contains(name) ? object.at(name) : nothing;
}

bool takes_out(const Json &object, const char *part, const std::string &name) {
    const Json &own = member(object, part);
    return own.is_object() && own.contains(name) && own.at(name).is_null();
}

bool has_column(const Json &manifest, const Json &object, const std::string &field) {
    return !takes_out(object, "columns", field) && (!member(member(object, "columns"), field.c_str()).is_null() ||
                                                    !member(member(manifest, "columns"), field.c_str()).is_null());
}

void for_each_operation(const ManifestNode &manifest, const ManifestNode &object,
                        const std::function<void(const ManifestNode &, OperationKind)> &take) {
    const Json &defaults = member(manifest.value(), "defaults");
    for (const auto &[name, kind] : operation_names) {
        const Json &shared = member(member(manifest.value(), "operations"), name);
        const Json &own = member(member(object.value(), "operations"), name);
        if (own.is_null() && (shared.is_null() || takes_out(object.value(), "operations", name)))
            continue;
        const std::string place = object.pointer() + "/operations/" + name;
        const Json &several = own.is_null() ? shared : own;
        if (!several.is_array()) {
            const Json whole = merged(defaults, shared, own);
            take(ManifestNode(whole, place, manifest.unset()), kind);
            continue;
        }
        for (std::size_t i = 0; i < several.size(); i++) {
            const Json whole = merged(defaults, own.is_null() ? Json() : shared, several[i]);
            take(ManifestNode(whole, place + "/" + std::to_string(i), manifest.unset()), kind);
        }
    }
}

bool is_another_form(const Json &lower, const Json &upper) {
    return upper.is_object() && is_lookup_form(lower) != is_lookup_form(upper);
}

std::vector<ManifestNode> lookups_in(const ManifestNode &operation, OperationKind kind) {
    if (kind != OperationKind::lookup || !operation.value().is_array())
        return {operation};
    std::vector<ManifestNode> lookups = operation.elements();
    if (lookups.empty() || lookups.size() > most_lookups)
        operation.fail("must be a look-up, or an array of " + std::to_string(most_lookups) + " at most");
    for (std::size_t i = 0; i < lookups.size(); i++) {
        const ManifestNode by = lookups[i].at("by");
        for (std::size_t j = 0; j < i; j++)
            if (by.value() == lookups[j].at("by").value())
                by.fail("names rows as another look-up of the object does");
    }
    return lookups;
}

OperationSpec read_whole_operation(const ManifestNode &node, OperationKind kind) {
    if (!is_by_lookup(node, kind))
        check_has_request(node);
    return read_operation(node, kind);
}

} // namespace reverse_etl
