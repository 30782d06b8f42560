#include "engine/text/url_parts.h"

#include "engine/text/json_text.h"

#include <algorithm>
#include <charconv>

namespace reverse_etl {

namespace {

/// Calls `take` with each parameter as it is written.
template <class Take>
void for_each_parameter(std::string_view query, Take take) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        if (end > 0)
            take(query.substr(0, end));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
}

std::string name_of(std::string_view parameter) {
    return percent_decoded(parameter.substr(0, parameter.find('=')));
}

} // namespace

UrlParts url_parts(std::string_view url) {
    UrlParts parts;
    const std::size_t scheme = std::min(url.find("://"), url.size());
    parts.scheme = url.substr(0, scheme);
    url.remove_prefix(std::min(scheme + 3, url.size()));
    const std::size_t host = std::min(url.find_first_of("/?"), url.size());
    parts.host = url.substr(0, host);
    const std::string_view own_port = parts.scheme == "https" ? ":443" : ":80";
    if (parts.host.ends_with(own_port))
        parts.host.remove_suffix(own_port.size());
    url.remove_prefix(host);
    const std::size_t mark = std::min(url.find('?'), url.size());
    parts.path = mark == 0 ? "/" : url.substr(0, mark);
    parts.query = url.substr(std::min(mark + 1, url.size()));
    return parts;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); i++) {
        unsigned char byte = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const bool is_escape = text[i] == '%' && digits.size() == 2 &&
                               std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2;
        decoded += is_escape ? static_cast<char>(byte) : text[i];
        i += is_escape ? 2 : 0;
    }
    return decoded;
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    append_percent_encoded(encoded, text);
    return encoded;
}

std::vector<std::pair<std::string, std::string>> parameters_of(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    for_each_parameter(query, [&](std::string_view parameter) {
        const std::size_t sign = std::min(parameter.find('='), parameter.size());
        parameters.emplace_back(name_of(parameter),
                                percent_decoded(parameter.substr(std::min(sign + 1, parameter.size()))));
    });
    return parameters;
}

void set_parameter(std::string &url, std::string_view name, std::string_view value) {
    const std::size_t mark = std::min(url.find('?'), url.size());
    std::string query;
    if (mark < url.size())
        for_each_parameter(std::string_view(url).substr(mark + 1), [&](std::string_view parameter) {
            if (name_of(parameter) != name)
                query.append(parameter).append("&");
        });
    url.resize(mark);
    url += "?" + query + percent_encoded(name) + "=" + percent_encoded(value);
}

} // namespace reverse_etl
