#include "engine/manifest/extension.h"

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/notes.h"
#include "engine/manifest/operation_merging.h"
#include "engine/text/json_pointer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace reverse_etl {

namespace {

/// A connector that extends one that extends another: so deep it goes.
constexpr std::size_t most_bases = 8;

/// What a part of a manifest is: it decides whether the members of two of them are put together.
enum class Part { manifest, objects, object, operations, members, whole };

Part part_at(Part around, const std::string &name) {
    const auto is_one_of = [&](std::initializer_list<const char *> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    switch (around) {
    case Part::manifest:
        if (name == "objects")
            return Part::objects;
        if (name == "operations")
            return Part::operations;
        if (is_one_of({"options", "credentials", "headers", "values", "columns", "defaults", "discover"}))
            return Part::members;
        return Part::whole;
    case Part::objects:
        return Part::object;
    case Part::object:
        return name == "operations" || name == "reactions" ? Part::operations
               : name == "columns"                         ? Part::members
                                                           : Part::whole;
    case Part::operations:
        return Part::members;
    case Part::members:
    case Part::whole:
        return Part::whole;
    }
    return Part::whole;
}

/// A part of a manifest that another is laid over.
struct Place {
    Part part;
    std::string pointer;
    const Json &whole;            ///< the manifest
    const Json *shared = nullptr; ///< what all objects have of what this is of one; nullptr for none
};

void lay_over(Json &base, const Json &own, const Place &place);

void lay_member_over(Json &base, const std::string &name, const Json &value, const Place &place) {
    const std::string at = place.pointer + "/" + pointer_token(name);
    const bool is_shared = place.shared != nullptr && place.shared->is_object() && place.shared->contains(name);
    if (value.is_null() && !base.contains(name) && !is_shared)
        throw ManifestError(at, "is null, which takes out a member of the connector that is extended; it has none "
                                "of that name");
    if (value.is_null() && is_shared)
        base[name] = nullptr; // what all objects have would show else
    else if (value.is_null())
        base.erase(name);
    else if (place.part == Part::operations && base.contains(name) && is_another_form(base[name], value))
        base[name] = value;
    else
        lay_over(base[name], value,
                 {part_at(place.part, name), at, place.whole,
                  place.part == Part::object ? &member(place.whole, name.c_str()) : nullptr});
}

/// Objects come last: they may take out what the rest gives to all of them.
void lay_over(Json &base, const Json &own, const Place &place) {
    if (place.part != Part::whole && base.is_null())
        base = Json::object(); // in which there is nothing to take out
    if (place.part == Part::whole || !base.is_object() || !own.is_object()) {
        base = own;
        return;
    }
    const auto waits = [&](const std::string &name) { return place.part == Part::manifest && name == "objects"; };
    for (const bool waited : {false, true})
        for (const auto &[name, value] : own.items())
            if (waits(name) == waited)
                lay_member_over(base, name, value, place);
}

std::string listed(const std::vector<std::string> &names) {
    std::string list;
    for (const std::string &name : names)
        list += (list.empty() ? "\"" : ", \"") + name + "\"";
    return list;
}

} // namespace

Json extended(Json manifest, const ManifestOf &of, Pause pause) {
    std::vector<Json> layers = {std::move(manifest)};
    std::vector<std::string> names;
    while (layers.back().is_object() && layers.back().contains("extends")) {
        const ManifestNode node(layers.back(), "");
        const std::string name = node.at("name").plain_name();
        if (node.at("manifest").value() != 1)
            node.at("manifest").fail("must be 1, the version of the manifest language");
        const ManifestNode extends = ManifestNode(layers.front(), "").at("extends");
        const std::string base = node.at("extends").plain_name();
        names.push_back(name);
        if (std::find(names.begin(), names.end(), base) != names.end())
            extends.fail("goes in a circle: " + listed(names) + ", \"" + base + "\"");
        if (names.size() > most_bases)
            extends.fail("goes through more than " + std::to_string(most_bases) + " connectors: " + listed(names));
        const std::optional<std::string> text = of ? of(base) : std::nullopt;
        if (!text)
            extends.fail("leads to the connector \"" + base + "\", which does not exist");
        layers.push_back(parse_json(*text, pause));
        remove_notes(layers.back());
    }
    Json whole = std::move(layers.back());
    for (auto own = layers.rbegin() + 1; own != layers.rend(); ++own) {
        own->erase("extends");
        lay_over(whole, *own, {Part::manifest, "", whole});
    }
    if (!names.empty())
        check_manifest_size(whole.dump(-1, ' ', false, Json::error_handler_t::replace).size());
    return whole;
}

} // namespace reverse_etl
