#include "engine/requests/secret_parts.h"

#include "engine/text/json_text.h"
#include "engine/text/url_parts.h"

#include <algorithm>

namespace reverse_etl {

SecretParts::SecretParts(const std::vector<SignedPart> &parts, const Settings &credentials) {
    for (const SignedPart &part : parts)
        parts_.push_back({part.place, part.name, SigningText(part.text, credentials)});
}

bool SecretParts::needs_id() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part &part) { return part.text.names("request.id"); });
}

void SecretParts::put_in(UnsignedRequest &unsigned_request, const std::vector<std::string> &signatures) const {
    Request &request = unsigned_request.request;
    const bool is_form = unsigned_request.format == UnsignedRequest::Format::form;
    // All texts are of the request as it is before any of them is in it.
    Headers headers;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string members;
    for (const Part &part : parts_) {
        std::string text = part.text.of(unsigned_request, signatures.front());
        for (std::size_t i = 1; i < signatures.size() && part.text.names("request.signature"); i++)
            text += " " + part.text.of(unsigned_request, signatures[i]);
        if (part.place == SignedPart::Place::header) {
            headers.emplace_back(part.name, text);
        } else if (part.place == SignedPart::Place::query) {
            parameters.emplace_back(part.name, text);
        } else if (is_form) {
            members += (members.empty() ? "" : "&") + percent_encoded(part.name) + "=" + percent_encoded(text);
        } else {
            members += members.empty() ? "" : ",";
            append_json_string(members, part.name);
            members += ':';
            append_json_string(members, text);
        }
    }
    for (const auto &[name, value] : headers)
        set_header(request.headers, name, value);
    for (const auto &[name, value] : parameters)
        set_parameter(request.url, name, value);
    if (members.empty() || request.body.empty() || unsigned_request.format == UnsignedRequest::Format::other)
        return;
    std::string body = is_form ? members + "&" + std::string(request.body) : with_members(request.body, members);
    unsigned_request.body = std::move(body);
    request.body = unsigned_request.body;
}

std::string with_members(std::string_view json, std::string_view members) {
    std::string result;
    std::size_t objects = 0, arrays = 0, copied = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); i++) {
        const char c = json[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        arrays += c == '[' ? 1 : 0;
        arrays -= c == ']' && arrays > 0 ? 1 : 0;
        objects -= c == '}' && objects > 0 ? 1 : 0;
        if (c != '{')
            continue;
        if (objects++ > 0 || arrays > 1)
            continue;
        result.append(json.substr(copied, i + 1 - copied)).append(members);
        copied = i + 1;
        const std::size_t next = json.find_first_not_of(" \t\r\n", copied);
        if (next != json.npos && json[next] != '}')
            result += ',';
    }
    return result.append(json.substr(copied));
}

} // namespace reverse_etl
