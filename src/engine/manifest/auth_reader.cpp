#include "engine/manifest/auth_reader.h"

#include "engine/manifest/header_reader.h"
#include "engine/manifest/signing_reader.h"
#include "engine/manifest/token_reader.h"
#include "engine/text/placeholders.h"

#include <optional>

namespace reverse_etl {

namespace {

/// An option may say which header it is; a credential may not, since whoever has one chooses its text.
void check_header(const ManifestNode &name) {
    const std::optional<std::string> sole = sole_placeholder(name.text());
    if (!sole || !name.may_be_set_later(*sole))
        check_header_name(name, name.text());
}

} // namespace

AuthSpec read_auth(const ManifestNode &node) {
    AuthSpec auth;
    static constexpr AuthSpec::Kind kinds[] = {
        AuthSpec::Kind::none,    AuthSpec::Kind::bearer,  AuthSpec::Kind::basic,   AuthSpec::Kind::header,
        AuthSpec::Kind::oauth2,  AuthSpec::Kind::login,   AuthSpec::Kind::jwt,     AuthSpec::Kind::signing,
        AuthSpec::Kind::signing, AuthSpec::Kind::signing, AuthSpec::Kind::signing, AuthSpec::Kind::signing};
    auth.kind = kinds[node.at("kind").one_of({"none", "bearer", "basic", "header", "oauth2", "login", "jwt", "parts",
                                              "sigv4", "signature", "oauth1", "certificate"})];
    auth.written = node.value().dump();
    std::vector<const char *> required;
    switch (auth.kind) {
    case AuthSpec::Kind::none:
        node.only({"kind"});
        break;
    case AuthSpec::Kind::bearer:
        node.only({"kind", "token"});
        required = {"token"};
        break;
    case AuthSpec::Kind::basic:
        node.only({"kind", "username", "password"});
        required = {"username", "password"};
        break;
    case AuthSpec::Kind::header:
        node.only({"kind", "name", "value"});
        required = {"name", "value"};
        check_header(node.at("name"));
        break;
    case AuthSpec::Kind::oauth2:
        read_oauth2(node, auth);
        return auth;
    case AuthSpec::Kind::login:
        read_login(node, auth);
        return auth;
    case AuthSpec::Kind::jwt:
        read_jwt(node, auth);
        return auth;
    case AuthSpec::Kind::signing:
        read_signing(node, auth);
        return auth;
    }
    for (const char *name : required)
        node.at(name);
    for (const auto &[name, member] : node.members()) {
        if (name == "kind" || name == "note")
            continue;
        const std::string text = member.text();
        if (has_lone_brace(text))
            member.fail("holds a brace that belongs to no placeholder; a brace of the text itself is written twice");
        auth.parameters.emplace_back(name, text);
        for (const TextPart &part : split_placeholders(text))
            if (part.is_placeholder && node.may_be_set_later(part.text))
                node.unset()->met.insert(part.text);
            else if (part.is_placeholder)
                auth.credentials.push_back(part.text);
    }
    return auth;
}

std::string AuthSpec::parameter(std::string_view name) const {
    for (const auto &[parameter, value] : parameters)
        if (parameter == name)
            return value;
    return "";
}

} // namespace reverse_etl
