#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

enum class HashAlgorithm { sha1, sha256, sha512 };

/// The bytes of the hash.
std::string digest(HashAlgorithm algorithm, std::string_view text);

/// The bytes of the keyed hash, RFC 2104.
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view text);

} // namespace reverse_etl
