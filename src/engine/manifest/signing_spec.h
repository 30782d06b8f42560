#pragma once

#include "engine/text/hmac.h"

#include <string>
#include <variant>
#include <vector>

namespace reverse_etl {

/// A text that is put into a request when it is signed: a template of credentials and of what the request says.
struct SignedPart {
    enum class Place { header, query, body } place = Place::header;
    std::string name;
    std::string text;
};

/// Secrets, wherever the API wants them.
struct SecretPartsSpec {
    std::vector<SignedPart> parts;
};

/// AWS Signature Version 4.
struct Sigv4Spec {
    std::string service, region, access_key, secret_key, session_token;
    bool path_as_is = false;     ///< the path is signed as it is sent; else normalised and encoded once more
    bool payload_header = false; ///< the hash of the body goes as a header, too
};

/// A keyed hash over a text that the manifest puts together.
struct SignatureSpec {
    struct Key {
        std::string text;
        bool is_base64 = false;
        std::string after; ///< of base64: the text that it may stand behind
    };
    HashAlgorithm algorithm = HashAlgorithm::sha256;
    std::vector<Key> keys; ///< several while one takes the place of another: each signs
    std::string text;
    bool base64 = false; ///< how the signature is written; else in hexadecimal digits
    std::vector<SignedPart> parts;
};

/// OAuth 1.0a with a token that was given once and for all, RFC 5849 section 3.
struct OAuth1Spec {
    HashAlgorithm algorithm = HashAlgorithm::sha256;
    std::string consumer_key, consumer_secret, token, token_secret, realm;
};

/// The client certificate of the user mapping is all that it takes.
struct CertificateSpec {};

/// What puts a role's credentials into a request that is complete otherwise.
using SigningSpec = std::variant<SecretPartsSpec, Sigv4Spec, SignatureSpec, OAuth1Spec, CertificateSpec>;

} // namespace reverse_etl
