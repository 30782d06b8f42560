#include "engine/text/digest.h"

#include "engine/text/hex.h"

#include <openssl/evp.h>
#include <stdexcept>

namespace reverse_etl {

std::string digest(DigestKind kind, std::string_view bytes) {
    const EVP_MD *method = kind == DigestKind::sha256 ? EVP_sha256()
                           : kind == DigestKind::sha1 ? EVP_sha1()
                                                      : EVP_md5();
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), made, &length, method, nullptr) != 1)
        throw std::runtime_error("OpenSSL does not make this kind of digest here");
    return {reinterpret_cast<const char *>(made), length};
}

std::string hex(std::string_view bytes) {
    std::string digits;
    digits.reserve(2 * bytes.size());
    for (const char byte : bytes)
        append_hex(digits, static_cast<unsigned char>(byte));
    return digits;
}

} // namespace reverse_etl
