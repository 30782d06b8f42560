#include "engine/authenticator.h"

#include "engine/answer.h"
#include "engine/json.h"
#include "engine/json_text.h"
#include "engine/placeholders.h"

#include <algorithm>
#include <openssl/evp.h>

namespace reverse_etl {

namespace {

/// A token is taken for expired this long before it is, since clocks and networks are slow.
constexpr std::chrono::seconds expiry_margin{60};

std::string base64(const std::string &text) {
    std::string result(4 * ((text.size() + 2) / 3) + 1, '\0');
    int length = EVP_EncodeBlock(reinterpret_cast<unsigned char *>(result.data()),
                                 reinterpret_cast<const unsigned char *>(text.data()), static_cast<int>(text.size()));
    result.resize(length);
    return result;
}

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

Authenticator::Authenticator(const std::vector<AuthSpec> &kinds, const Settings &credentials)
    : credentials_(credentials) {
    auto complete = [&](const AuthSpec &auth) {
        return std::all_of(auth.credentials.begin(), auth.credentials.end(),
                           [&](const std::string &name) { return credentials.contains(name); });
    };
    auto found = std::find_if(kinds.begin(), kinds.end(), complete);
    if (found == kinds.end())
        throw SettingError("the user mapping lacks the credentials that the destination needs",
                           "It must hold " + listed(kinds) + ".");
    auth_ = *found;
}

std::string Authenticator::credential(std::string_view parameter) const {
    return substitute(auth_.parameter(parameter), [&](const std::string &name) -> std::optional<std::string> {
        auto found = credentials_.find(name);
        return found == credentials_.end() ? std::nullopt : std::optional(found->second);
    });
}

bool Authenticator::ready() const {
    return !renewable() || (!token_.empty() && (!expires_ || Clock::now() < *expires_));
}

void Authenticator::sign(Headers &headers) const {
    switch (auth_.kind) {
    case AuthSpec::Kind::none:
        break;
    case AuthSpec::Kind::bearer:
        headers.emplace_back("Authorization", "Bearer " + credential("token"));
        break;
    case AuthSpec::Kind::basic:
        // RFC 7617 section 2
        headers.emplace_back("Authorization", "Basic " + base64(credential("username") + ":" + credential("password")));
        break;
    case AuthSpec::Kind::header:
        headers.emplace_back(credential("name"), credential("value"));
        break;
    case AuthSpec::Kind::oauth2:
        headers.emplace_back("Authorization", "Bearer " + token_);
        break;
    }
}

Request Authenticator::token_request() {
    token_body_ = "grant_type=" + auth_.parameter("grant");
    for (const char *name : {"client_id", "client_secret", "refresh_token", "scope"})
        if (!auth_.parameter(name).empty()) {
            token_body_ += "&" + std::string(name) + "=";
            append_percent_encoded(token_body_, credential(name));
        }
    Request request;
    request.method = "POST";
    request.url = auth_.parameter("token_url");
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    request.body = token_body_;
    return request;
}

void Authenticator::read_token(const Response &response) {
    const std::string url = auth_.parameter("token_url");
    if (response.failure == Failure::unknown_host)
        throw DestinationError(Fault::unknown_host, response.failure_text);
    if (response.failure != Failure::none)
        throw DestinationError(response.failure == Failure::not_trusted ? Fault::not_trusted : Fault::unreachable,
                               "no access token from " + url + ": " + response.failure_text);
    Json answer = Json::parse(response.body, nullptr, false);
    if (response.status != 200) {
        // RFC 6749 section 5.2: error is a code, error_description is for people
        std::string reason = "HTTP status " + std::to_string(response.status);
        for (const char *name : {"error", "error_description"})
            if (answer.is_object() && answer.contains(name) && answer[name].is_string())
                reason = answer[name].get<std::string>();
        // It may quote what it was sent.
        for (const std::string &name : auth_.credentials)
            if (const std::string &value = credentials_.at(name); !value.empty() && reason.find(value) != reason.npos)
                reason = "HTTP status " + std::to_string(response.status);
        throw DestinationError(response.status >= 500 ? Fault::unreachable : Fault::unauthorized,
                               "no access token from " + url + ": " + beginning(reason, 300), "",
                               response.status >= 500 ? "" : "Check the credentials in the user mapping.");
    }
    if (!answer.is_object() || !answer.contains("access_token") || !answer["access_token"].is_string())
        throw DestinationError(Fault::unintelligible, "the answer of " + url + " holds no access token");
    token_ = answer["access_token"].get<std::string>();
    generation_++;
    expires_.reset();
    if (answer.contains("expires_in") && answer["expires_in"].is_number()) {
        std::chrono::seconds life(
            static_cast<long>(std::clamp(answer["expires_in"].get<double>(), 0.0, 86400.0 * 365)));
        expires_ = Clock::now() + std::max(life - expiry_margin, life / 2);
    }
}

} // namespace reverse_etl
