#include "engine/text/sealed_text.h"

#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdexcept>

namespace reverse_etl {

namespace {

constexpr char as_it_is = 0, with_a_key = 1;
constexpr std::size_t nonce_bytes = 12, tag_bytes = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char *bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}
unsigned char *bytes(std::string &text) {
    return reinterpret_cast<unsigned char *>(text.data());
}

/// Both ways are the same calls.
bool run(EVP_CIPHER_CTX *context, bool seals, const std::string &key, std::string_view nonce, std::string_view place,
         std::string_view input, std::string &output) {
    int size = 0;
    output.resize(input.size());
    return EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce), seals ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context, nullptr, &size, bytes(place), static_cast<int>(place.size())) == 1 &&
           EVP_CipherUpdate(context, bytes(output), &size, bytes(input), static_cast<int>(input.size())) == 1;
}

} // namespace

std::string key_of(std::string_view secret) {
    std::string key(SHA256_DIGEST_LENGTH, '\0');
    SHA256(bytes(secret), secret.size(), bytes(key));
    return key;
}

std::string sealed(std::string_view text, const std::string &key, std::string_view place) {
    if (key.empty())
        return std::string(1, as_it_is) + std::string(text);
    std::string nonce(nonce_bytes, '\0'), tag(tag_bytes, '\0'), output, end(tag_bytes, '\0');
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    if (!context || RAND_bytes(bytes(nonce), nonce_bytes) != 1 ||
        !run(context.get(), true, key, nonce, place, text, output) ||
        EVP_CipherFinal_ex(context.get(), bytes(end), &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, bytes(tag)) != 1)
        throw std::runtime_error("a token could not be encrypted");
    return std::string(1, with_a_key) + nonce + tag + output;
}

std::optional<std::string> opened(std::string_view kept, const std::string &key, std::string_view place) {
    if (kept.empty() || kept[0] == as_it_is)
        return kept.empty() ? std::nullopt : std::optional(std::string(kept.substr(1)));
    if (key.empty() || kept.size() < 1 + nonce_bytes + tag_bytes)
        return std::nullopt;
    std::string tag(kept.substr(1 + nonce_bytes, tag_bytes)), output, end(tag_bytes, '\0');
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    if (!context ||
        !run(context.get(), false, key, kept.substr(1, nonce_bytes), place, kept.substr(1 + nonce_bytes + tag_bytes),
             output) ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, bytes(tag)) != 1 ||
        EVP_CipherFinal_ex(context.get(), bytes(end), &size) != 1)
        return std::nullopt;
    return output;
}

} // namespace reverse_etl
