#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

enum class DigestKind { sha256, sha1, md5 };

/// The digest's bytes. Throws std::runtime_error where OpenSSL may not make it, as MD5 under FIPS.
std::string digest(DigestKind kind, std::string_view bytes);

/// In lower-case hexadecimal digits.
std::string hex(std::string_view bytes);

} // namespace reverse_etl
