#include "engine/http/url_reference.h"

#include "engine/text/lower_case.h"

#include <algorithm>
#include <curl/curl.h>
#include <memory>

namespace reverse_etl {

namespace {

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url parsed(const std::string &text) {
    Url url(curl_url(), curl_url_cleanup);
    if (url != nullptr && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
        url.reset();
    return url;
}

std::optional<std::string> part(const Url &url, CURLUPart which, unsigned flags = 0) {
    char *text = nullptr;
    if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK)
        return std::nullopt;
    const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
    return std::string(text);
}

} // namespace

std::optional<std::string> resolve_reference(const std::string &from, const std::string &reference) {
    const Url url = parsed(from);
    // libcurl would take what is no scheme for a host, were there nothing to be seen from.
    if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0) != CURLUE_OK)
        return std::nullopt;
    if (part(url, CURLUPART_USER) || part(url, CURLUPART_PASSWORD))
        return std::nullopt;
    return part(url, CURLUPART_URL);
}

bool have_one_origin(const std::string &url, const std::string &other) {
    const Url first = parsed(url), second = parsed(other);
    if (first == nullptr || second == nullptr)
        return false;
    for (const CURLUPart which : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT})
        if (lower_case(part(first, which, CURLU_DEFAULT_PORT).value_or("")) !=
            lower_case(part(second, which, CURLU_DEFAULT_PORT).value_or("")))
            return false;
    return true;
}

bool goes_to(const std::string &url, const std::vector<std::string> &hosts, const std::string &scheme) {
    const Url parts = parsed(url);
    if (parts == nullptr || part(parts, CURLUPART_USER) || part(parts, CURLUPART_PASSWORD))
        return false;
    const std::string by = lower_case(part(parts, CURLUPART_SCHEME).value_or(""));
    const std::string host = lower_case(part(parts, CURLUPART_HOST).value_or(""));
    if (by != "https" && by != lower_case(scheme))
        return false;
    return std::any_of(hosts.begin(), hosts.end(), [&](const std::string &one) {
        return one.starts_with("*.") ? host.ends_with(one.substr(1)) && host.size() >= one.size() : host == one;
    });
}

} // namespace reverse_etl
