#include "engine/catalog/truth.h"

#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

Truth::Truth(const std::string &json) {
    const Json parsed = parse_json(json);
    for (const auto &[object, operations] : ManifestNode(parsed, "").members())
        for (const auto &[operation, judges] : operations.members()) {
            judges.only({"file", "client"});
            objects_[object][operation] = {judges.text("file", ""), judges.text("client", "")};
        }
}

OperationTruth Truth::of(const std::string &object, const std::string &operation) const {
    const auto operations = objects_.find(object);
    if (operations == objects_.end())
        return {};
    const auto found = operations->second.find(operation);
    return found == operations->second.end() ? OperationTruth() : found->second;
}

} // namespace reverse_etl
