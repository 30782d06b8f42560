#pragma once

#include "engine/manifest/signing_spec.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

struct AuthSpec {
    enum class Kind { none, bearer, basic, header, oauth2, signing } kind = Kind::none;
    /// Parameters as the manifest gives them ("token": "{access_token}"), in order.
    std::vector<std::pair<std::string, std::string>> parameters;
    /// The credentials that the parameters name: what a user mapping must hold for this kind to be used.
    std::vector<std::string> credentials;
    /// Of Kind::signing: what signs requests that are complete.
    std::shared_ptr<const SigningSpec> signing;

    /// The parameter's text; "" if the manifest has none of that name.
    std::string parameter(std::string_view name) const;
};

/// An option of the user mapping: what a role signs requests with.
struct CredentialSpec {
    std::string name;
    std::string description;
    std::string example;       ///< "" for none
    std::string documentation; ///< the vendor's page about it; "" for none
};

} // namespace reverse_etl
