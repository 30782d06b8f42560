#include "engine/manifest/auth_texts.h"

#include "engine/text/placeholders.h"

#include <algorithm>
#include <set>

namespace reverse_etl {

namespace {

void for_each_text(const ManifestNode &node, const std::function<void(const ManifestNode &)> &text) {
    if (node.value().is_string())
        text(node);
    else if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            for_each_text(member, text);
    else if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            for_each_text(element, text);
}

} // namespace

void for_each_text_of_auth(const ManifestNode &auth, const std::function<void(const ManifestNode &)> &text) {
    static const std::set<std::string> with_notes = {"keep", "lifetime", "refused_when", "assertion", "key"};
    for (const auto &[name, member] : auth.members())
        if (with_notes.contains(name) && member.value().is_object())
            for_each_text_of_auth(member, text);
        else if (name != "note")
            for_each_text(member, text);
}

std::string credential_text(const ManifestNode &node, AuthSpec &auth, PlaceholderNames of_engine) {
    const std::string text = node.text();
    if (has_lone_brace(text))
        node.fail("holds a brace that belongs to no placeholder; a brace of the text itself is written twice");
    for (const TextPart &part : split_placeholders(text)) {
        const auto is_this = [&](const std::string &name) { return name == part.text; };
        if (!part.is_placeholder)
            continue;
        if (is_of_engine(part.text)) {
            if (std::none_of(of_engine.begin(), of_engine.end(), is_this))
                node.fail("\"{" + part.text + "}\" means nothing here");
        } else if (node.may_be_set_later(part.text)) {
            node.unset()->met.insert(part.text);
        } else if (std::none_of(auth.credentials.begin(), auth.credentials.end(), is_this)) {
            auth.credentials.push_back(part.text);
        }
    }
    return text;
}

std::string credential_json(const ManifestNode &node, AuthSpec &auth, PlaceholderNames of_engine) {
    for_each_text(node, [&](const ManifestNode &text) { credential_text(text, auth, of_engine); });
    return node.value().dump();
}

} // namespace reverse_etl
