#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A URL of a request cut apart, as it is written: "https://api.example.com:8443/v1/things?a=b".
struct UrlParts {
    std::string_view scheme; ///< https
    std::string_view host;   ///< api.example.com:8443: what the header Host says, so without the scheme's own port
    std::string_view path;   ///< /v1/things; "/" if there is none
    std::string_view query;  ///< a=b
};

UrlParts url_parts(std::string_view url);

std::string percent_decoded(std::string_view text);
std::string percent_encoded(std::string_view text);

/// The parameters of a query or a form, decoded: names and values, in order.
std::vector<std::pair<std::string, std::string>> parameters_of(std::string_view query);

/// Gives the parameter this value: in place of those of its name.
void set_parameter(std::string &url, std::string_view name, std::string_view value);

} // namespace reverse_etl
