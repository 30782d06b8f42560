#include "engine/manifest/discovery_reader.h"

#include "engine/manifest/column_reader.h"
#include "engine/manifest/condition_reader.h"
#include "engine/manifest/encoding_reader.h"
#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"
#include "engine/manifest/shared_parts.h"
#include "engine/text/placeholders.h"

#include <set>
#include <utility>

namespace reverse_etl {

namespace {

/// The members of the request, as a list has them.
const std::initializer_list<const char *> of_request = {"request", "query",       "headers", "format",    "body",
                                                        "errors",  "rate_limits", "records", "none_when", "next"};

void refuse_fields(const ManifestNode &node) {
    if (node.value().is_string())
        for (const TextPart &part : split_placeholders(node.text()))
            if (part.is_placeholder && part.text == "fields")
                node.fail("nothing stands for \"{fields}\" here: they are what is asked for");
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            refuse_fields(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            refuse_fields(member);
}

OperationSpec read_request(const ManifestNode &node) {
    Json operation = Json::object();
    for (const char *member : of_request)
        if (node.has(member))
            operation[member] = node.value().at(member);
    const ManifestNode request(operation, node.pointer(), node.unset());
    request.at("request");
    check_placeholders_fit(request, OperationKind::list);
    for (const char *member : {"request", "query", "body"})
        if (request.has(member))
            refuse_fields(request.at(member));
    OperationSpec spec = read_operation(request, OperationKind::list);
    if (spec.method != "GET" && spec.method != "POST")
        node.at("request").fail("its method must be GET or POST, since what is asked for is only read");
    return spec;
}

FoundType read_type(const ManifestNode &node) {
    FoundType found;
    if (node.value().is_object()) {
        node.only({"type", "encode"});
        if (node.has("encode")) {
            read_encoding(node.at("encode"));
            const Json &encode = node.at("encode").value();
            found.encode = encode.is_string() ? encode.get<std::string>() : encode.dump();
        }
    }
    found.type = read_type_name(node.value().is_object() ? node.at("type") : node);
    return found;
}

void read_types(const ManifestNode &node, FieldDiscovery &spec) {
    if (node.value().is_string()) {
        spec.otherwise = read_type(node);
        return;
    }
    node.only({"at", "types", "otherwise"});
    spec.type_at = node.at("at").pointers();
    for (const auto &[name, type] : node.at("types").members())
        if (name != "$note")
            spec.types[type.literal_name(name)] = read_type(type);
    if (node.has("otherwise"))
        spec.otherwise = read_type(node.at("otherwise"));
}

/// A condition, or one for each operation that writes rows.
void read_write(const ManifestNode &node, FieldDiscovery &spec) {
    const bool is_by_operation = node.has("create") || node.has("update");
    if (is_by_operation)
        node.only({"create", "update"});
    for (const auto &[name, kind] :
         {std::pair("create", OperationKind::create), std::pair("update", OperationKind::update)})
        spec.write.emplace_back(kind, read_condition(is_by_operation ? node.at(name) : node));
}

ChoicesSpec read_choices(const ManifestNode &node) {
    node.only({"at", "value", "only_when", "closed_when"});
    ChoicesSpec choices;
    choices.at = node.at("at").pointers();
    if (node.has("value"))
        choices.value = node.at("value").json_pointer();
    if (node.has("only_when"))
        choices.only_when = read_condition(node.at("only_when"));
    if (node.has("closed_when"))
        choices.closed_when = read_condition(node.at("closed_when"));
    return choices;
}

std::shared_ptr<const FieldDiscovery> read_fields(const ManifestNode &node) {
    node.only({"request", "query", "headers", "format", "body", "errors", "rate_limits", "records", "none_when", "next",
               "field", "only_when", "type", "write", "required", "choices", "description"});
    auto spec = std::make_shared<FieldDiscovery>();
    spec->operation = read_request(node);
    spec->field = node.at("field").json_pointer();
    if (node.has("only_when"))
        spec->only_when = read_condition(node.at("only_when"));
    if (node.has("type"))
        read_types(node.at("type"), *spec);
    if (node.has("write"))
        read_write(node.at("write"), *spec);
    if (node.has("required"))
        spec->required = read_condition(node.at("required"));
    if (node.has("choices"))
        spec->choices = read_choices(node.at("choices"));
    if (node.has("description"))
        spec->description = node.at("description").pointers();
    return spec;
}

bool has_fields(const ManifestNode &manifest) {
    return manifest.has("discover") && manifest.at("discover").has("fields");
}

/// What the object says, over what the manifest says, member by member; null for nothing.
Json merged(const ManifestNode &manifest, const ManifestNode &object) {
    const bool has_own = object.has("discover");
    if (has_own && object.at("discover").value() == false)
        return nullptr;
    Json whole = has_fields(manifest) ? manifest.at("discover").at("fields").value() : Json();
    if (has_own) {
        const ManifestNode own = object.at("discover");
        if (!own.value().is_object())
            own.fail("must be an object, or false");
        for (const auto &[name, value] : own.value().items())
            whole[name] = value;
    }
    return whole;
}

} // namespace

ObjectDiscovery read_object_discovery(const ManifestNode &node) {
    node.only({"request", "query", "headers", "format", "body", "errors", "rate_limits", "records", "none_when", "next",
               "object", "table", "only_when"});
    ObjectDiscovery spec;
    spec.operation = read_request(node);
    spec.object = node.at("object").json_pointer();
    spec.table = node.has("table") ? node.at("table").json_pointer() : spec.object;
    if (node.has("only_when"))
        spec.only_when = read_condition(node.at("only_when"));
    return spec;
}

std::shared_ptr<const FieldDiscovery> read_field_discovery(const ManifestNode &manifest, const ManifestNode &object) {
    const Json whole = merged(manifest, object);
    if (whole.is_null())
        return nullptr;
    std::set<std::string> &met = manifest.unset()->met;
    const std::set<std::string> before = std::exchange(met, {});
    const std::string place = object.has("discover") ? object.pointer() + "/discover" : "/discover/fields";
    auto spec = std::make_shared<FieldDiscovery>(*read_fields(ManifestNode(whole, place, manifest.unset())));
    spec->operation.lacks_option = met.empty() ? "" : *met.begin();
    met = before;
    add_shared(manifest, spec->operation);
    return spec;
}

void check_discovery(const ManifestNode &manifest) {
    if (manifest.has("discover")) {
        const ManifestNode discover = manifest.at("discover");
        discover.only({"fields", "objects"});
        if (discover.value().empty())
            discover.fail("must say how something is found: \"fields\" or \"objects\"");
        if (discover.has("fields"))
            read_fields(discover.at("fields"));
        if (discover.has("objects") && !manifest.at("objects").has("*"))
            discover.at("objects").fail("needs the object \"*\", which says what holds for the objects that are found");
    }
    for (const auto &[name, object] : manifest.at("objects").members())
        if (object.has("discover"))
            read_field_discovery(manifest, object);
}

} // namespace reverse_etl
