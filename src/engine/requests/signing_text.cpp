#include "engine/requests/signing_text.h"

#include "engine/text/hex.h"
#include "engine/text/hmac.h"
#include "engine/text/times.h"
#include "engine/text/url_parts.h"

#include <algorithm>

namespace reverse_etl {

namespace {

std::string value_of(const std::string &name, const UnsignedRequest &of, std::string_view signature) {
    const Request &request = of.request;
    if (name == "request.signature")
        return std::string(signature);
    if (name == "request.method")
        return request.method;
    if (name == "request.url")
        return request.url;
    if (name == "request.host")
        return std::string(url_parts(request.url).host);
    if (name == "request.path")
        return std::string(url_parts(request.url).path);
    if (name == "request.query")
        return std::string(url_parts(request.url).query);
    if (name == "request.body")
        return std::string(request.body);
    if (name == "request.body_sha256")
        return hex(digest(HashAlgorithm::sha256, request.body));
    if (name == "request.id")
        return of.id;
    if (name == "request.time_iso")
        return utc_time(of.now, "%Y-%m-%dT%H:%M:%SZ");
    const auto since_1970 = of.now.time_since_epoch();
    if (name == "request.time_ms")
        return std::to_string(std::chrono::floor<Milliseconds>(since_1970).count());
    return std::to_string(std::chrono::floor<std::chrono::seconds>(since_1970).count());
}

} // namespace

SigningText::SigningText(std::string_view text, const Settings &credentials) {
    for (TextPart &part : split_placeholders(text)) {
        const bool is_credential = part.is_placeholder && part.text.find('.') == std::string::npos;
        auto found = is_credential ? credentials.find(part.text) : credentials.end();
        if (found != credentials.end())
            parts_.push_back({false, found->second});
        else
            parts_.push_back(std::move(part));
    }
}

std::string SigningText::of(const UnsignedRequest &unsigned_request, std::string_view signature) const {
    std::string text;
    for (const TextPart &part : parts_)
        text += part.is_placeholder ? value_of(part.text, unsigned_request, signature) : part.text;
    return text;
}

bool SigningText::names(std::string_view placeholder) const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [&](const TextPart &part) { return part.is_placeholder && part.text == placeholder; });
}

std::string with_credentials(std::string_view text, const Settings &credentials) {
    return substitute(text, [&](const std::string &name) -> std::optional<std::string> {
        auto found = credentials.find(name);
        return found == credentials.end() ? std::nullopt : std::optional(found->second);
    });
}

} // namespace reverse_etl
