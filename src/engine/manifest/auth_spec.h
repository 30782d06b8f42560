#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

struct AuthSpec {
    enum class Kind { none, bearer, basic, header, oauth2 } kind = Kind::none;
    /// Parameters as the manifest gives them ("token": "{access_token}"), in order.
    std::vector<std::pair<std::string, std::string>> parameters;
    /// The credentials that the parameters name: what a user mapping must hold for this kind to be used.
    std::vector<std::string> credentials;

    /// The parameter's text; "" if the manifest has none of that name.
    std::string parameter(std::string_view name) const;
};

} // namespace reverse_etl
