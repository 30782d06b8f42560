#include "engine/text/base64.h"

#include <climits>
#include <openssl/evp.h>

namespace reverse_etl {

std::string base64(std::string_view bytes) {
    std::string result(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char *>(result.data()),
                        reinterpret_cast<const unsigned char *>(bytes.data()), static_cast<int>(bytes.size()));
    result.resize(length);
    return result;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0 || text.size() > INT_MAX)
        return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length =
        EVP_DecodeBlock(reinterpret_cast<unsigned char *>(bytes.data()),
                        reinterpret_cast<const unsigned char *>(text.data()), static_cast<int>(text.size()));
    // It takes blanks around the text, which is shorter then.
    if (length != static_cast<int>(bytes.size()))
        return std::nullopt;
    return bytes.substr(0, bytes.size() - padding);
}

} // namespace reverse_etl
