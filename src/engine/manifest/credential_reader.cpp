#include "engine/manifest/credential_reader.h"

#include "engine/manifest/auth_texts.h"
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
        for_each_text_of_auth(auth, [&](const ManifestNode &text) {
            for (const TextPart &part : split_placeholders(text.text())) {
                if (!part.is_placeholder || part.text == "base_url" || is_of_engine(part.text) ||
                    has_name(options, part.text))
                    continue;
                if (!has_name(credentials, part.text))
                    text.fail("\"{" + part.text +
                              "}\" is neither an option of the connector nor declared in "
                              "\"credentials\": " +
                              listed(credentials));
                used.insert(part.text);
            }
        });
    for (const CredentialSpec &credential : credentials)
        if (!used.contains(credential.name))
            manifest.at("credentials").at(credential.name).fail("is used by no \"auth\"");
}

} // namespace reverse_etl
