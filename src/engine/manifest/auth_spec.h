#pragma once

#include "engine/manifest/signing_spec.h"
#include "engine/manifest/token_spec.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

struct AuthSpec {
    enum class Kind { none, bearer, basic, header, oauth2, login, jwt, signing } kind = Kind::none;
    /// Parameters as the manifest gives them ("token": "{access_token}"), in order.
    std::vector<std::pair<std::string, std::string>> parameters;
    /// The credentials that the parameters name: what a user mapping must hold for this kind to be used.
    std::vector<std::string> credentials;
    /// All of it as it is written, with options filled in: what tells one from another.
    std::string written;
    std::shared_ptr<const TokenSpec> token; ///< of oauth2 and login
    std::shared_ptr<const JwtSpec> jwt;
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
