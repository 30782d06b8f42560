#include "engine/manifest/derived_reader.h"

#include "engine/manifest/encoding_reader.h"
#include "engine/manifest/operation_merging.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

DerivedSpec read_one(const std::string &name, const ManifestNode &node) {
    if (sole_placeholder("{row." + name + "}") != "row." + name)
        node.fail("must have a name of letters, digits and \"_\", to stand in \"{row.NAME}\"");
    node.only({"from", "encode", "description"});
    DerivedSpec derived;
    derived.name = name;
    derived.from = node.at("from").literal();
    if (derived.from.empty())
        node.at("from").fail("must name a field");
    derived.steps = std::make_shared<const TextSteps>(read_steps(node.at("encode")));
    return derived;
}

} // namespace

std::vector<DerivedSpec> read_derived(const ManifestNode &manifest, const ManifestNode &object) {
    std::vector<DerivedSpec> all;
    const auto is_column = [&](const std::string &field) {
        return has_column(manifest.value(), object.value(), field);
    };
    const bool names_columns = object.has("columns") || manifest.has("columns");
    const ManifestNode nodes[] = {object, manifest};
    for (const ManifestNode &node : nodes) {
        if (!node.has("derived"))
            continue;
        for (const auto &[name, member] : node.at("derived").members()) {
            const bool is_known = std::any_of(all.begin(), all.end(),
                                              [&, &name = name](const DerivedSpec &one) { return one.name == name; });
            if (is_known)
                continue; // the object's own goes first
            DerivedSpec derived = read_one(name, member);
            if (is_column(name))
                member.fail("has the name of a column, whose value \"{row." + name + "}\" is");
            const bool has_source = !names_columns || is_column(derived.from);
            if (!has_source && &node == &nodes[1])
                continue; // it is for other objects
            if (!has_source)
                member.at("from").fail("names the field \"" + derived.from + "\", which is not among the \"columns\"");
            all.push_back(std::move(derived));
        }
    }
    return all;
}

} // namespace reverse_etl
