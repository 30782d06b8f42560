#include "engine/manifest/token_reader.h"

#include "engine/manifest/auth_texts.h"
#include "engine/manifest/header_reader.h"
#include "engine/manifest/host_reader.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <array>

namespace reverse_etl {

namespace {

/// Longer, a token is no passing one any more.
constexpr int longest_life_seconds = 365 * 86400;

int seconds_of(const ManifestNode &node) {
    const int seconds = node.positive_integer();
    if (seconds > longest_life_seconds)
        node.fail("must not be more than a year");
    return seconds;
}

LifetimeSpec read_lifetime(const ManifestNode &node) {
    node.only({"at", "unit", "seconds"});
    LifetimeSpec lifetime;
    if (!node.has("at") && !node.has("seconds"))
        node.fail("must say \"at\", \"seconds\" or both");
    if (node.has("unit") && !node.has("at"))
        node.at("unit").fail("is of what stands \"at\" a place");
    if (node.has("at"))
        lifetime.at = node.at("at").json_pointer();
    if (node.has("seconds"))
        lifetime.seconds = seconds_of(node.at("seconds"));
    if (node.has("unit"))
        lifetime.unit = static_cast<LifetimeSpec::Unit>(node.at("unit").one_of({"s", "ms", "epoch_s", "epoch_ms"}));
    return lifetime;
}

/// What an answer gives besides: where the API is.
void read_kept(const ManifestNode &node, TokenSpec &token) {
    node.only({"token", "base_url", "hosts"});
    if (node.has("token"))
        token.token = node.at("token").json_pointer();
    if (node.has("base_url") != node.has("hosts"))
        node.fail("must have \"hosts\" where it has \"base_url\": an answer chooses among them where requests go");
    if (!node.has("base_url"))
        return;
    token.base_url = node.at("base_url").json_pointer();
    for (const ManifestNode &host : node.at("hosts").one_or_many())
        token.hosts.push_back(read_host(host));
}

TokenSpec::Texts read_texts(const ManifestNode &node, AuthSpec &auth) {
    TokenSpec::Texts texts;
    for (const auto &[name, member] : node.members())
        texts.emplace_back(member.literal_name(name), credential_text(member, auth));
    return texts;
}

TokenSpec::Texts read_header_texts(const ManifestNode &node, AuthSpec &auth, PlaceholderNames of_engine = {}) {
    TokenSpec::Texts texts;
    for (const auto &[written, member] : node.members()) {
        const std::string name = member.literal_name(written);
        check_header_name(member, name);
        if (has_header(texts, name))
            member.fail("stands twice: names of headers that differ in case only are one");
        texts.emplace_back(name, credential_text(member, auth, of_engine));
    }
    return texts;
}

JwtSpec read_signed(const ManifestNode &node, AuthSpec &auth) {
    JwtSpec jwt;
    jwt.algorithm = static_cast<JwtSpec::Algorithm>(node.at("algorithm").one_of({"RS256", "ES256"}));
    jwt.key = credential_text(node.at("key"), auth);
    for (const char *part : {"claims", "header"})
        if (node.has(part) && !node.at(part).value().is_object())
            node.at(part).fail("must be an object");
    jwt.claims = credential_json(node.at("claims"), auth, {"jwt.id", "jwt.key_fingerprint"});
    jwt.header = node.has("header") ? credential_json(node.at("header"), auth) : "{}";
    if (node.has("header") && (node.at("header").has("alg") || node.at("header").has("typ")))
        node.at("header").fail("cannot have \"alg\" and \"typ\", which are written by the engine");
    if (node.has("seconds"))
        jwt.seconds = seconds_of(node.at("seconds"));
    jwt.upper_case = node.flag("upper_case", false);
    return jwt;
}

/// What oauth2 and login have in common.
void read_answer(const ManifestNode &node, TokenSpec &token) {
    if (node.has("keep"))
        read_kept(node.at("keep"), token);
    if (node.has("lifetime"))
        token.lifetime = read_lifetime(node.at("lifetime"));
    if (node.has("refused_when"))
        token.refused_when = node.at("refused_when").condition();
    if (node.has("reason"))
        token.reason = node.at("reason").pointers();
}

TokenSpec::Format read_format(const ManifestNode &node, TokenSpec::Format usual) {
    return node.has("format") ? static_cast<TokenSpec::Format>(node.at("format").one_of({"form", "json"})) : usual;
}

std::string read_scope(const ManifestNode &node, AuthSpec &auth) {
    std::string scope;
    for (const ManifestNode &one : node.one_or_many())
        scope += (scope.empty() ? "" : " ") + credential_text(one, auth);
    return scope;
}

enum class Grant { client_credentials, refresh_token, password, jwt_bearer };

/// The members that a grant has besides those of all.
std::vector<std::string> members_of(Grant grant) {
    switch (grant) {
    case Grant::client_credentials:
        return {"client_id", "client_secret"};
    case Grant::refresh_token:
        return {"client_id", "refresh_token"};
    case Grant::password:
        return {"username", "password"};
    case Grant::jwt_bearer:
        return {"assertion"};
    }
    return {};
}

/// What belongs to one grant means nothing for another.
void check_members(const ManifestNode &node, Grant grant) {
    const std::vector<std::string> needed = members_of(grant);
    for (const std::string &name : needed)
        node.at(name);
    const auto belongs = [&](std::string_view name) {
        return name == "rotates" ? grant == Grant::refresh_token
                                 : std::find(needed.begin(), needed.end(), name) != needed.end();
    };
    for (const char *name : {"refresh_token", "rotates", "username", "password", "assertion"})
        if (node.has(name) && !belongs(name))
            node.at(name).fail("does not belong to this \"grant\"");
}

} // namespace

void read_oauth2(const ManifestNode &node, AuthSpec &auth) {
    node.only({"kind", "grant", "token_url", "client_id", "client_secret", "client", "refresh_token", "rotates",
               "username", "password", "assertion", "scope", "parameters", "format", "keep", "lifetime", "refused_when",
               "reason"});
    const auto grant =
        static_cast<Grant>(node.at("grant").one_of({"client_credentials", "refresh_token", "password", "jwt_bearer"}));
    TokenSpec token;
    token.url = node.at("token_url").literal();
    check_members(node, grant);
    const bool basic = node.has("client") && node.at("client").one_of({"body", "basic"}) == 1;
    if (basic && (!node.has("client_id") || !node.has("client_secret")))
        node.at("client").fail("\"basic\" needs \"client_id\" and \"client_secret\"");
    static constexpr std::array grants = {"client_credentials", "refresh_token", "password",
                                          "urn:ietf:params:oauth:grant-type:jwt-bearer"};
    token.parameters.emplace_back("grant_type", grants[static_cast<std::size_t>(grant)]);
    for (const char *name : {"client_id", "client_secret", "refresh_token", "username", "password"})
        if (node.has(name)) {
            const std::string text = credential_text(node.at(name), auth);
            if (!basic || !std::string_view(name).starts_with("client_"))
                token.parameters.emplace_back(name, text);
        }
    if (basic)
        token.basic = {node.at("client_id").text(), node.at("client_secret").text()};
    if (grant == Grant::refresh_token) {
        token.refresh_token = node.at("refresh_token").text();
        // A newer one takes its place, and goes with it.
        if (!sole_placeholder(token.refresh_token))
            node.at("refresh_token").fail("must be one credential and nothing else");
        token.rotates = node.flag("rotates", true);
    }
    if (grant == Grant::jwt_bearer) {
        node.at("assertion").only({"algorithm", "key", "claims", "header", "seconds"});
        token.assertion = read_signed(node.at("assertion"), auth);
    }
    if (node.has("scope"))
        token.parameters.emplace_back("scope", read_scope(node.at("scope"), auth));
    if (node.has("parameters"))
        for (const auto &[name, text] : read_texts(node.at("parameters"), auth)) {
            const auto is_this = [&name = name](const auto &parameter) { return parameter.first == name; };
            if (name == "assertion" || std::any_of(token.parameters.begin(), token.parameters.end(), is_this))
                node.at("parameters").fail("cannot have \"" + name + "\", which is sent already");
            token.parameters.emplace_back(name, text);
        }
    token.format = read_format(node, TokenSpec::Format::form);
    // RFC 6749 sections 5.1 and 5.2: error is a code, error_description is for people
    token.lifetime.at = "/expires_in";
    token.reason = {"/error_description", "/error"};
    read_answer(node, token);
    token.signature = {{"Authorization", "Bearer {login.token}"}};
    auth.token = std::make_shared<const TokenSpec>(std::move(token));
}

void read_login(const ManifestNode &node, AuthSpec &auth) {
    node.only({"kind", "token_url", "method", "query", "request_headers", "username", "password", "format", "body",
               "keep", "lifetime", "refused_when", "reason", "headers"});
    TokenSpec token;
    token.url = node.at("token_url").literal();
    static constexpr std::array methods = {"POST", "GET"};
    token.method = methods[node.has("method") ? node.at("method").one_of({"POST", "GET"}) : 0];
    if (token.method == "GET" && node.has("body"))
        node.at("body").fail("is not sent by GET");
    if (node.has("format") && !node.has("body"))
        node.at("format").fail("is of a \"body\"");
    if (node.has("query"))
        token.query = read_texts(node.at("query"), auth);
    if (node.has("request_headers"))
        token.headers = read_header_texts(node.at("request_headers"), auth);
    if (node.has("username") || node.has("password"))
        token.basic = {credential_text(node.at("username"), auth), credential_text(node.at("password"), auth)};
    token.format = read_format(node, TokenSpec::Format::json);
    if (node.has("body") && token.format == TokenSpec::Format::form)
        token.parameters = read_texts(node.at("body"), auth);
    else if (node.has("body"))
        token.body = credential_json(node.at("body"), auth);
    node.at("keep").at("token");
    read_answer(node, token);
    token.signature = {{"Authorization", "Bearer {login.token}"}};
    if (node.has("headers"))
        token.signature = read_header_texts(node.at("headers"), auth, {"login.token"});
    const auto names_token = [](const auto &header) {
        return header.second.find("{login.token}") != std::string::npos;
    };
    if (std::none_of(token.signature.begin(), token.signature.end(), names_token))
        node.at("headers").fail("must hold \"{login.token}\" somewhere");
    auth.token = std::make_shared<const TokenSpec>(std::move(token));
}

void read_jwt(const ManifestNode &node, AuthSpec &auth) {
    node.only({"kind", "algorithm", "key", "claims", "header", "seconds", "upper_case"});
    auth.jwt = std::make_shared<const JwtSpec>(read_signed(node, auth));
}

} // namespace reverse_etl
