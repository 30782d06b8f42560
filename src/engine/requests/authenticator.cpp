#include "engine/requests/authenticator.h"

#include "engine/text/base64.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

std::string listed(const std::vector<AuthSpec> &kinds) {
    std::string list;
    for (const AuthSpec &auth : kinds) {
        std::string names;
        for (const std::string &name : auth.credentials)
            names += (names.empty() ? "" : " and ") + name;
        list += (list.empty() ? "" : ", or ") + names;
    }
    return list;
}

} // namespace

Authenticator::Authenticator(const std::vector<AuthSpec> &kinds, const Settings &credentials, Words::Storable storable)
    : credentials_(credentials), words_(storable) {
    auto complete = [&](const AuthSpec &auth) {
        return std::all_of(auth.credentials.begin(), auth.credentials.end(),
                           [&](const std::string &name) { return credentials.contains(name); });
    };
    auto found = std::find_if(kinds.begin(), kinds.end(), complete);
    if (found == kinds.end())
        throw MissingCredentials("the user mapping lacks the credentials that the destination needs",
                                 "It must hold " + listed(kinds) + ".");
    auth_ = *found;
    if (credentials_.contains("client_certificate") || credentials_.contains("client_key"))
        certificate_ = client_certificate(credentials_["client_certificate"], credentials_["client_key"]);
    if (auth_.signing != nullptr)
        signer_ = make_signer(*auth_.signing, credentials_);
    // As they are, and as they are sent.
    Secrets &secrets = words_.secrets();
    for (const auto &[name, value] : credentials_)
        secrets.add(value);
    if (auth_.token || auth_.jwt)
        token_ = std::make_unique<AccessToken>(auth_, credentials_, words_);
    Headers headers;
    if (!token_)
        sign(headers);
    for (const auto &[name, value] : headers)
        secrets.add(value);
    secrets.add(credential("username") + ":" + credential("password"));
}

std::string Authenticator::credential(std::string_view parameter) const {
    return substitute(auth_.parameter(parameter), [&](const std::string &name) -> std::optional<std::string> {
        auto found = credentials_.find(name);
        return found == credentials_.end() ? std::nullopt : std::optional(found->second);
    });
}

void Authenticator::sign(Headers &headers) const {
    switch (auth_.kind) {
    case AuthSpec::Kind::none:
    case AuthSpec::Kind::signing:
        break;
    case AuthSpec::Kind::bearer:
        set_header(headers, "Authorization", "Bearer " + credential("token"));
        break;
    case AuthSpec::Kind::basic:
        // RFC 7617 section 2
        set_header(headers, "Authorization", "Basic " + base64(credential("username") + ":" + credential("password")));
        break;
    case AuthSpec::Kind::header:
        set_header(headers, credential("name"), credential("value"));
        break;
    case AuthSpec::Kind::oauth2:
    case AuthSpec::Kind::login:
    case AuthSpec::Kind::jwt:
        token_->sign(headers);
        break;
    }
}

void Authenticator::sign(UnsignedRequest &unsigned_request) const {
    sign(unsigned_request.request.headers);
    if (signer_ != nullptr)
        signer_->sign(unsigned_request);
}

} // namespace reverse_etl
