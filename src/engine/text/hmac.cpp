#include "engine/text/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace reverse_etl {

namespace {

const EVP_MD *implementation(HashAlgorithm algorithm) {
    switch (algorithm) {
    case HashAlgorithm::md5:
        return EVP_md5();
    case HashAlgorithm::sha1:
        return EVP_sha1();
    case HashAlgorithm::sha256:
        return EVP_sha256();
    case HashAlgorithm::sha512:
        return EVP_sha512();
    }
    return nullptr;
}

std::string bytes_of(const unsigned char *bytes, unsigned size) {
    return std::string(reinterpret_cast<const char *>(bytes), size);
}

} // namespace

std::string digest(HashAlgorithm algorithm, std::string_view text) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!EVP_Digest(text.data(), text.size(), bytes, &size, implementation(algorithm), nullptr))
        throw std::runtime_error("OpenSSL does not make this kind of hash here");
    return bytes_of(bytes, size);
}

std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view text) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!HMAC(implementation(algorithm), key.data(), static_cast<int>(key.size()),
              reinterpret_cast<const unsigned char *>(text.data()), text.size(), bytes, &size))
        throw std::runtime_error("OpenSSL cannot sign");
    return bytes_of(bytes, size);
}

} // namespace reverse_etl
