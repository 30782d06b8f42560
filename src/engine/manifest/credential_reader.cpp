#include "engine/manifest/credential_reader.h"

#include "engine/manifest/option_names.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

/// A user mapping holds a few; they are looked for one after the other.
constexpr std::size_t most_credentials = 100;

template <class Spec>
bool has_name(const std::vector<Spec> &specs, const std::string &name) {
    return std::any_of(specs.begin(), specs.end(), [&](const Spec &spec) { return spec.name == name; });
}

std::string listed(const std::vector<CredentialSpec> &credentials) {
    std::string names;
    for (const CredentialSpec &credential : credentials)
        names += (names.empty() ? "\"" : ", \"") + credential.name + "\"";
    return names.empty() ? "none are" : "they are " + names;
}

/// Adds the texts of a kind of auth, wherever in it they stand. Where members have names of somebody's choice, one that
/// is called "note" is none.
void add_texts(const ManifestNode &node, bool has_own_names, std::vector<ManifestNode> &texts) {
    if (node.value().is_string())
        texts.push_back(node);
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            add_texts(element, false, texts);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            if (name != "note" || has_own_names)
                add_texts(member, name == "headers" || name == "query" || name == "body", texts);
}

std::vector<ManifestNode> texts_of(const ManifestNode &auth) {
    std::vector<ManifestNode> texts;
    add_texts(auth, false, texts);
    return texts;
}

} // namespace

std::vector<CredentialSpec> read_credentials(const ManifestNode &manifest, const std::vector<OptionSpec> &options) {
    std::vector<CredentialSpec> credentials;
    if (!manifest.has("credentials"))
        return credentials;
    const ManifestNode all = manifest.at("credentials");
    if (all.value().size() > most_credentials)
        all.fail("has more than " + std::to_string(most_credentials) + " members");
    for (const auto &[name, node] : all.members()) {
        check_option_name(name, node);
        if (has_name(options, name))
            node.fail("must have another name: an option of the connector has this one");
        node.only({"description", "example", "documentation"});
        if (node.at("description").text().empty())
            node.at("description").fail("must say what it is");
        credentials.push_back(
            {name, node.at("description").text(), node.text("example", ""), node.text("documentation", "")});
    }
    return credentials;
}

void check_credentials_are_used(const ManifestNode &manifest, const std::vector<OptionSpec> &options,
                                const std::vector<CredentialSpec> &credentials) {
    std::set<std::string> used;
    for (const ManifestNode &auth : manifest.at("auth").one_or_many())
        for (const ManifestNode &member : texts_of(auth))
            for (const TextPart &part : split_placeholders(member.text())) {
                // What has a dot in its name is the engine's, and was looked at by whoever read the kind.
                if (!part.is_placeholder || part.text == "base_url" || has_name(options, part.text) ||
                    part.text.find('.') != std::string::npos)
                    continue;
                if (!has_name(credentials, part.text))
                    member.fail("\"{" + part.text +
                                "}\" is neither an option of the connector nor declared in "
                                "\"credentials\": " +
                                listed(credentials));
                used.insert(part.text);
            }
    for (const CredentialSpec &credential : credentials)
        if (!used.contains(credential.name))
            manifest.at("credentials").at(credential.name).fail("is used by no \"auth\"");
}

} // namespace reverse_etl
