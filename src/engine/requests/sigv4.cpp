#include "engine/requests/sigv4.h"

#include "engine/requests/signing_text.h"
#include "engine/text/hex.h"
#include "engine/text/hmac.h"
#include "engine/text/lower_case.h"
#include "engine/text/times.h"
#include "engine/text/url_parts.h"

#include <algorithm>
#include <map>
#include <vector>

namespace reverse_etl {

namespace {

std::string sha256_hex(std::string_view text) {
    return hex(digest(HashAlgorithm::sha256, text));
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    return hmac(HashAlgorithm::sha256, key, text);
}

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        segments.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return segments;
}

/// Without empty segments, "." and "..".
std::string normalised(std::string_view path) {
    std::vector<std::string_view> kept;
    for (const std::string_view segment : segments_of(path))
        if (segment == ".." && !kept.empty())
            kept.pop_back();
        else if (!segment.empty() && segment != "." && segment != "..")
            kept.push_back(segment);
    std::string result;
    for (const std::string_view segment : kept)
        result.append("/").append(segment);
    return result.empty() || path.ends_with('/') ? result + "/" : result;
}

std::string canonical_path(std::string_view path, bool as_is) {
    const std::string whole = as_is ? std::string(path) : normalised(path);
    std::string result;
    for (const std::string_view segment : segments_of(whole))
        result += "/" + percent_encoded(as_is ? percent_decoded(segment) : std::string(segment));
    return result.substr(1);
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    for (const auto &[name, value] : parameters_of(query))
        parameters.emplace_back(percent_encoded(name), percent_encoded(value));
    std::sort(parameters.begin(), parameters.end());
    std::string result;
    for (const auto &[name, value] : parameters)
        result += (result.empty() ? "" : "&") + name + "=" + value;
    return result;
}

/// Without blanks around it, and with one where there are several.
std::string canonical_value(std::string_view value) {
    std::string result;
    for (const char c : value)
        if (c != ' ' && c != '\t')
            result += c;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    if (result.ends_with(' '))
        result.pop_back();
    return result;
}

/// What is signed of the headers: by their names, each with all its values.
std::map<std::string, std::string> canonical_headers(const Request &request) {
    std::map<std::string, std::string> canonical = {{"host", std::string(url_parts(request.url).host)}};
    for (const auto &[name, value] : request.headers) {
        auto [header, is_new] = canonical.emplace(lower_case(name), canonical_value(value));
        if (!is_new)
            header->second += "," + canonical_value(value);
    }
    return canonical;
}

std::string names_of(const std::map<std::string, std::string> &headers) {
    std::string names;
    for (const auto &[name, value] : headers)
        names += (names.empty() ? "" : ";") + name;
    return names;
}

} // namespace

Sigv4::Sigv4(const Sigv4Spec &spec, const Settings &credentials) : spec_(spec) {
    for (std::string *text :
         {&spec_.service, &spec_.region, &spec_.access_key, &spec_.secret_key, &spec_.session_token})
        *text = with_credentials(*text, credentials);
}

std::string Sigv4::canonical_request(const Request &request, std::string_view payload_hash) const {
    const UrlParts url = url_parts(request.url);
    const auto headers = canonical_headers(request);
    std::string canonical =
        request.method + "\n" + canonical_path(url.path, spec_.path_as_is) + "\n" + canonical_query(url.query) + "\n";
    for (const auto &[name, value] : headers)
        canonical += name + ":" + value + "\n";
    return canonical + "\n" + names_of(headers) + "\n" + std::string(payload_hash);
}

std::string Sigv4::string_to_sign(std::string_view time, std::string_view scope, std::string_view canonical) {
    return "AWS4-HMAC-SHA256\n" + std::string(time) + "\n" + std::string(scope) + "\n" + sha256_hex(canonical);
}

void Sigv4::sign(UnsignedRequest &unsigned_request) const {
    Request &request = unsigned_request.request;
    const std::string time = utc_time(unsigned_request.now, "%Y%m%dT%H%M%SZ"), day = time.substr(0, 8);
    const std::string scope = day + "/" + spec_.region + "/" + spec_.service + "/aws4_request";
    const std::string payload_hash = sha256_hex(request.body);
    std::erase_if(request.headers, [](const auto &header) { return lower_case(header.first) == "authorization"; });
    set_header(request.headers, "X-Amz-Date", time);
    if (!spec_.session_token.empty())
        set_header(request.headers, "X-Amz-Security-Token", spec_.session_token);
    if (spec_.payload_header)
        set_header(request.headers, "X-Amz-Content-Sha256", payload_hash);
    std::string key = "AWS4" + spec_.secret_key;
    for (const std::string &text : {day, spec_.region, spec_.service, std::string("aws4_request")})
        key = hmac_sha256(key, text);
    const std::string signature =
        hex(hmac_sha256(key, string_to_sign(time, scope, canonical_request(request, payload_hash))));
    const std::string names = names_of(canonical_headers(request));
    set_header(request.headers, "Authorization",
               "AWS4-HMAC-SHA256 Credential=" + spec_.access_key + "/" + scope + ", SignedHeaders=" + names +
                   ", Signature=" + signature);
}

} // namespace reverse_etl
