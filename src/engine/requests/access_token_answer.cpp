#include "engine/requests/access_token_answer.h"

#include "engine/limits/backoff.h"
#include "engine/requests/answer.h"
#include "engine/text/lower_case.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace reverse_etl {

namespace {

using simdjson::dom::element;

/// A token is taken for expired this long before it is, since clocks and networks are slow.
constexpr std::chrono::seconds expiry_margin{60};

/// However short it is said to live, a token is used for so long: an answer must not make every request ask for
/// another.
constexpr Milliseconds least_life{1000};
constexpr double longest_life_seconds = 365.0 * 86400;

/// Longer ones fit into no header.
constexpr std::size_t most_token_bytes = 32768;

TokenFault fault_of(const TokenSpec &spec, const Words &words, Fault fault, bool passes, const std::string &reason) {
    const std::string hint = fault == Fault::unauthorized ? "Check the credentials in the user mapping." : "";
    constexpr std::size_t most_bytes = 300;
    const std::string message = "no access token from " + spec.url + ": ";
    return {DestinationError(fault, message + words.of(reason, most_bytes), "", hint), passes, std::nullopt};
}

TokenFault refusal(const TokenSpec &spec, Answer &answer) {
    const Response &response = answer.response();
    const long status = response.status;
    std::string reason;
    if (const auto root = answer.at(""))
        reason = first_text(*root, spec.reason);
    if (reason.empty())
        reason = answer.words().of_body(response.body);
    reason = "HTTP status " + std::to_string(status) + (reason.empty() ? "" : ", ") + reason;
    const bool passes = status == 408 || status == 425 || status == 429 || status >= 500;
    const bool is_success = status >= 200 && status < 300;
    const bool is_endpoint = (status < 400 && !is_success) || status == 404 || status == 405;
    TokenFault refused = fault_of(spec, answer.words(),
                                  passes        ? Fault::unreachable
                                  : is_endpoint ? Fault::not_found
                                                : Fault::unauthorized,
                                  passes, reason);
    refused.delay = retry_after(response, WallClock::now());
    return refused;
}

std::string string_at(const element &root, const std::string &pointer) {
    const auto found = at(root, pointer);
    std::string_view text;
    return found && found->get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

/// Some write the number as a string.
std::optional<double> number_at(const element &root, const std::string &pointer) {
    const std::string text = first_text(root, {pointer});
    char *end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' || std::isnan(number) ? std::nullopt : std::optional(number);
}

std::optional<double> seconds_of(const LifetimeSpec &lifetime, const element &root) {
    const std::optional<double> said = lifetime.at.empty() ? std::nullopt : number_at(root, lifetime.at);
    if (!said)
        return lifetime.seconds ? std::optional<double>(*lifetime.seconds) : std::nullopt;
    const double now = std::chrono::duration<double>(WallClock::now().time_since_epoch()).count();
    switch (lifetime.unit) {
    case LifetimeSpec::Unit::seconds:
        return *said;
    case LifetimeSpec::Unit::milliseconds:
        return *said / 1000;
    case LifetimeSpec::Unit::epoch_seconds:
        return *said - now;
    case LifetimeSpec::Unit::epoch_milliseconds:
        return *said / 1000 - now;
    }
    return std::nullopt;
}

/// How long it is used.
std::optional<Milliseconds> life_of(const LifetimeSpec &lifetime, const element &root) {
    const std::optional<double> life = seconds_of(lifetime, root);
    if (!life)
        return std::nullopt;
    const double seconds = *life > 0 ? std::min(*life, longest_life_seconds) : 0.0;
    const Milliseconds said(static_cast<Milliseconds::rep>(seconds * 1000));
    return std::max({said - Milliseconds(expiry_margin), said / 2, least_life});
}

/// It stands in a header as it is.
bool may_stand_in_header(const std::string &token) {
    return token.size() <= most_token_bytes &&
           std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// The host of a URL, with its port, in lower case; "" for a URL that is none, or holds a user.
std::string host_of(const std::string &url) {
    const std::size_t begin = url.find("://");
    if (begin == url.npos)
        return "";
    const std::string host = lower_case(url.substr(begin + 3, url.find('/', begin + 3) - begin - 3));
    return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:") == host.npos ? host : "";
}

bool is_one_of(const std::string &host, const std::vector<std::string> &hosts) {
    return std::any_of(hosts.begin(), hosts.end(), [&](const std::string &known) {
        return known.starts_with("*.") ? host.ends_with(known.substr(1)) && host.size() > known.size() - 1
                                       : host == known;
    });
}

/// An answer chooses where all that follows goes, credentials as well: only among the hosts of the manifest, and never
/// with less protection than it had itself.
bool may_be_base(const TokenSpec &spec, const std::string &url) {
    const std::string scheme = spec.url.substr(0, spec.url.find("://") + 3);
    const std::string host = host_of(url);
    return url.starts_with(scheme) && !host.empty() && url.find_first_of("?#\\ ") == url.npos &&
           is_one_of(host, spec.hosts);
}

std::optional<TokenFault> failure_of(const TokenSpec &spec, const Response &response, const Words &words) {
    switch (response.failure) {
    case Failure::none:
        return std::nullopt;
    case Failure::unknown_host:
        return fault_of(spec, words, Fault::unknown_host, false, response.failure_text);
    case Failure::not_trusted:
        return fault_of(spec, words, Fault::not_trusted, false, response.failure_text);
    case Failure::unusable:
        return fault_of(spec, words, Fault::not_found, false, response.failure_text);
    case Failure::not_connected:
    case Failure::interrupted:
    case Failure::too_large:
        return fault_of(spec, words, Fault::unreachable, true, response.failure_text);
    }
    return std::nullopt;
}

} // namespace

TokenResult read_token_answer(const TokenSpec &spec, const Response &response, const Words &words) {
    if (auto failure = failure_of(spec, response, words))
        return *failure;
    simdjson::dom::parser parser;
    Answer answer(response, parser, words);
    if (response.status < 200 || response.status >= 300)
        return refusal(spec, answer);
    const auto root = answer.at("");
    if (root && !spec.refused_when.empty() && holds(spec.refused_when, *root))
        return refusal(spec, answer);
    FetchedToken token;
    if (root)
        token.text = string_at(*root, spec.token);
    if (token.text.empty())
        return fault_of(spec, words, Fault::unintelligible, false, "the answer holds none");
    if (!may_stand_in_header(token.text))
        return fault_of(spec, words, Fault::unintelligible, false, "the token that came cannot stand in a header");
    if (!spec.base_url.empty()) {
        token.base_url = string_at(*root, spec.base_url);
        if (token.base_url.ends_with('/'))
            token.base_url.pop_back();
        if (!may_be_base(spec, token.base_url))
            return fault_of(spec, words, Fault::unintelligible, false,
                            "the answer says that the API is at \"" + token.base_url +
                                "\", which is none of the hosts that the connector names");
    }
    if (!spec.refresh_token.empty())
        token.refresh_token = string_at(*root, "/refresh_token");
    token.life = life_of(spec.lifetime, *root);
    return token;
}

} // namespace reverse_etl
