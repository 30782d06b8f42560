#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

enum class HashAlgorithm { md5, sha1, sha256, sha512 };

/// The bytes of the hash. Throws std::runtime_error where OpenSSL may not make it, as MD5 under FIPS.
std::string digest(HashAlgorithm algorithm, std::string_view text);

/// The bytes of the keyed hash, RFC 2104.
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view text);

} // namespace reverse_etl
