#pragma once

#include "engine/manifest/condition.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A JSON Web Token that a key of the user mapping signs. Texts are templates: placeholders name credentials.
struct JwtSpec {
    enum class Algorithm { rs256, es256 } algorithm = Algorithm::rs256;
    std::string key;         ///< private key in PEM
    std::string header;      ///< JSON object: members besides alg and typ
    std::string claims;      ///< JSON object: members besides iat and exp
    int seconds = 3600;      ///< it is good for
    bool upper_case = false; ///< the texts of its claims are sent in upper case, but what stands for {jwt.NAME}
};

/// How long a token may be used.
struct LifetimeSpec {
    std::string at; ///< pointer in the answer; "" for none
    enum class Unit { seconds, milliseconds, epoch_seconds, epoch_milliseconds } unit = Unit::seconds;
    std::optional<int> seconds; ///< where the answer does not say
};

/// How an access token is fetched: one request, and what its answer means. Texts are templates.
struct TokenSpec {
    using Texts = std::vector<std::pair<std::string, std::string>>;

    // The request
    std::string method = "POST";
    std::string url; ///< as it is: no credential stands in it
    Texts query;
    Texts headers;
    std::optional<std::pair<std::string, std::string>> basic; ///< user name and password of the request
    enum class Format { form, json } format = Format::form;
    Texts parameters;                 ///< members of the body
    std::string body;                 ///< JSON in place of them; "" for none
    std::optional<JwtSpec> assertion; ///< goes into the parameter "assertion"
    std::string refresh_token;        ///< the user mapping's own, of which a newer one may be kept; "" for none
    bool rotates = true;              ///< a refresh token may be worth nothing once it was used

    // The answer
    std::string token = "/access_token";
    std::string base_url; ///< pointer to where the API is for this account; "" for none
    std::vector<std::string> hosts;
    LifetimeSpec lifetime;
    Condition refused_when; ///< in an answer with a status of success; empty for never
    Pointers reason;

    /// Headers that carry the token, {login.token}.
    Texts signature;
};

} // namespace reverse_etl
