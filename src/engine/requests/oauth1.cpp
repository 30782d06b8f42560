#include "engine/requests/oauth1.h"

#include "engine/requests/request_ids.h"
#include "engine/requests/signing_text.h"
#include "engine/text/base64.h"
#include "engine/text/lower_case.h"
#include "engine/text/url_parts.h"

#include <algorithm>

namespace reverse_etl {

namespace {

std::string quoted_string(std::string_view text) {
    std::string result = "\"";
    for (const char c : text)
        result.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
    return result + "\"";
}

} // namespace

OAuth1::OAuth1(const OAuth1Spec &spec, const Settings &credentials) : spec_(spec) {
    for (std::string *text :
         {&spec_.consumer_key, &spec_.consumer_secret, &spec_.token, &spec_.token_secret, &spec_.realm})
        *text = with_credentials(*text, credentials);
}

std::string OAuth1::base_string(std::string_view method, std::string_view url, const Parameters &parameters) {
    const UrlParts parts = url_parts(url);
    Parameters encoded;
    for (const auto &[name, value] : parameters)
        encoded.emplace_back(percent_encoded(name), percent_encoded(value));
    std::sort(encoded.begin(), encoded.end());
    std::string all;
    for (const auto &[name, value] : encoded)
        all += (all.empty() ? "" : "&") + name + "=" + value;
    const std::string address =
        lower_case(std::string(parts.scheme)) + "://" + lower_case(std::string(parts.host)) + std::string(parts.path);
    return std::string(method) + "&" + percent_encoded(address) + "&" + percent_encoded(all);
}

std::string OAuth1::signature_of(std::string_view base_string) const {
    return base64(hmac(spec_.algorithm,
                       percent_encoded(spec_.consumer_secret) + "&" + percent_encoded(spec_.token_secret),
                       base_string));
}

void OAuth1::sign(UnsignedRequest &unsigned_request) const {
    Request &request = unsigned_request.request;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(unsigned_request.now.time_since_epoch()).count();
    Parameters own = {{"oauth_consumer_key", spec_.consumer_key},
                      {"oauth_token", spec_.token},
                      {"oauth_signature_method", spec_.algorithm == HashAlgorithm::sha1 ? "HMAC-SHA1" : "HMAC-SHA256"},
                      {"oauth_timestamp", std::to_string(seconds)},
                      {"oauth_nonce", random_id()},
                      {"oauth_version", "1.0"}};
    Parameters all = own;
    for (auto &parameter : parameters_of(url_parts(request.url).query))
        all.push_back(std::move(parameter));
    if (unsigned_request.format == UnsignedRequest::Format::form)
        for (auto &parameter : parameters_of(request.body))
            all.push_back(std::move(parameter));
    own.emplace_back("oauth_signature", signature_of(base_string(request.method, request.url, all)));
    std::string header = spec_.realm.empty() ? "OAuth " : "OAuth realm=" + quoted_string(spec_.realm) + ", ";
    for (const auto &[name, value] : own)
        header += name + "=\"" + percent_encoded(value) + (name == "oauth_signature" ? "\"" : "\", ");
    set_header(request.headers, "Authorization", header);
}

} // namespace reverse_etl
