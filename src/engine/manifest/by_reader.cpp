#include "engine/manifest/by_reader.h"

#include <algorithm>

namespace reverse_etl {

bool is_by_lookup(const ManifestNode &operation, OperationKind kind) {
    if (kind != OperationKind::upsert || !operation.has("by") || operation.at("by").value() != "lookup")
        return false;
    for (const auto &[name, member] : operation.members())
        if (name != "by" && name != "note")
            member.fail("means nothing beside \"by\": \"lookup\", since the requests are those of \"lookup\", "
                        "\"update\" and \"create\"");
    return true;
}

void read_by(const ManifestNode &node, OperationSpec &spec) {
    if (!node.value().is_array()) {
        const bool may_look_up = spec.kind == OperationKind::upsert;
        const std::size_t by =
            may_look_up ? node.one_of({"key", "id", "any", "lookup"}) : node.one_of({"key", "id", "any"});
        spec.by_key = by != 1;
        spec.by_id = by != 0;
        spec.by_lookup = by == 3;
        return;
    }
    if (spec.kind != OperationKind::lookup)
        node.fail("is a list of fields, and only a \"lookup\" names its row by fields of its own");
    for (const ManifestNode &element : node.elements()) {
        const std::string field = element.literal();
        if (field.empty())
            element.fail("must name a field");
        if (std::find(spec.by_fields.begin(), spec.by_fields.end(), field) != spec.by_fields.end())
            element.fail("names the field \"" + field + "\" once more");
        spec.by_fields.push_back(field);
    }
    if (spec.by_fields.empty())
        node.fail("must name a field");
    spec.by_key = spec.by_id = false;
}

void check_upsert(const ManifestNode &object, const std::vector<OperationSpec> &operations,
                  const std::vector<std::string> &key, const std::string &id) {
    const auto find = [&](auto &&fits) { return std::find_if(operations.begin(), operations.end(), fits); };
    const auto has = [&](auto &&fits) { return find(fits) != operations.end(); };
    if (!has([](const OperationSpec &one) { return one.by_lookup; }))
        return;
    const auto fail = [&](const std::string &what) {
        throw ManifestError(object.pointer() + "/operations/upsert/by", "is \"lookup\", and so needs " + what);
    };
    if (key.empty())
        fail("a \"key\" of the object, by which rows are looked up");
    if (id.empty())
        fail("an \"id\" of the object, by which rows that are found are updated");
    const auto finds_key = [&](const OperationSpec &one) {
        return one.kind == OperationKind::lookup && (one.by_key || are_same_fields(one.by_fields, key));
    };
    if (!has(finds_key))
        fail("a \"lookup\" by the object's \"key\"");
    if (!has([](const OperationSpec &one) { return one.kind == OperationKind::update && one.by_id; }))
        fail("an \"update\" by the object's \"id\"");
    if (!has([](const OperationSpec &one) { return one.kind == OperationKind::create; }))
        fail("a \"create\", for rows that are not found");
}

bool are_same_fields(std::vector<std::string> some, std::vector<std::string> others) {
    std::sort(some.begin(), some.end());
    std::sort(others.begin(), others.end());
    return some == others;
}

} // namespace reverse_etl
