#include "engine/requests/authenticator.h"

#include "engine/limits/backoff.h"
#include "engine/text/base64.h"
#include "engine/text/json.h"
#include "engine/text/json_text.h"
#include "engine/text/placeholders.h"

#include <algorithm>
#include <cstdlib>

namespace reverse_etl {

namespace {

/// A token is taken for expired this long before it is, since clocks and networks are slow.
constexpr std::chrono::seconds expiry_margin{60};

/// However short it is said to live, a token is used for so long: an answer must not make every request ask for
/// another.
constexpr Milliseconds least_life{1000};
constexpr double longest_life_seconds = 365.0 * 86400;

/// Some write the number as a string.
std::optional<double> seconds_of(const Json &value) {
    if (value.is_number())
        return value.get<double>();
    if (!value.is_string())
        return std::nullopt;
    const std::string &text = value.get_ref<const std::string &>();
    char *end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' ? std::nullopt : std::optional(seconds);
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
    Headers headers;
    if (!renewable())
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

bool Authenticator::ready() const {
    return !renewable() || (!token_.empty() && (!expires_ || Clock::now() < *expires_));
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
        set_header(headers, "Authorization", "Bearer " + token_);
        break;
    }
}

void Authenticator::sign(UnsignedRequest &unsigned_request) const {
    sign(unsigned_request.request.headers);
    if (signer_ != nullptr)
        signer_->sign(unsigned_request);
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

TokenFault Authenticator::fault(Fault fault, bool passes, const std::string &reason) const {
    const std::string hint = fault == Fault::unauthorized ? "Check the credentials in the user mapping." : "";
    constexpr std::size_t most_bytes = 300;
    const std::string message = "no access token from " + auth_.parameter("token_url") + ": ";
    return {DestinationError(fault, message + words_.of(reason, most_bytes), "", hint), passes, std::nullopt};
}

TokenFault Authenticator::refusal(const Response &response) const {
    const long status = response.status;
    // RFC 6749 section 5.2: error is a code, error_description is for people
    const Json answer = Json::parse(response.body, nullptr, false);
    std::string reason;
    for (const char *name : {"error", "error_description"})
        if (answer.is_object() && answer.contains(name) && answer[name].is_string())
            reason = answer[name].get<std::string>();
    if (reason.empty())
        reason = words_.of_body(response.body);
    reason = "HTTP status " + std::to_string(status) + (reason.empty() ? "" : ", ") + reason;
    const bool passes = status == 408 || status == 425 || status == 429 || status >= 500;
    const bool is_endpoint = status < 400 || status == 404 || status == 405;
    TokenFault refused = fault(passes        ? Fault::unreachable
                               : is_endpoint ? Fault::not_found
                                             : Fault::unauthorized,
                               passes, reason);
    refused.delay = retry_after(response, WallClock::now());
    return refused;
}

std::optional<TokenFault> Authenticator::read_token(const Response &response) {
    switch (response.failure) {
    case Failure::none:
        break;
    case Failure::unknown_host:
        return fault(Fault::unknown_host, false, response.failure_text);
    case Failure::not_trusted:
        return fault(Fault::not_trusted, false, response.failure_text);
    case Failure::unusable:
        return fault(Fault::not_found, false, response.failure_text);
    case Failure::not_connected:
    case Failure::interrupted:
    case Failure::too_large:
        return fault(Fault::unreachable, true, response.failure_text);
    }
    if (response.status < 200 || response.status >= 300)
        return refusal(response);
    const Json answer = Json::parse(response.body, nullptr, false);
    const bool has_token = answer.is_object() && answer.contains("access_token") &&
                           answer["access_token"].is_string() && answer["access_token"] != "";
    if (!has_token)
        return fault(Fault::unintelligible, false, "the answer holds none");
    token_ = answer["access_token"].get<std::string>();
    words_.secrets().add_passing(token_);
    generation_++;
    expires_.reset();
    if (auto life = answer.contains("expires_in") ? seconds_of(answer["expires_in"]) : std::nullopt) {
        const double seconds = *life > 0 ? std::min(*life, longest_life_seconds) : 0.0;
        const Milliseconds said(static_cast<Milliseconds::rep>(seconds * 1000));
        expires_ = Clock::now() + std::max({said - Milliseconds(expiry_margin), said / 2, least_life});
    }
    return std::nullopt;
}

} // namespace reverse_etl
