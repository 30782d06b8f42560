#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

inline constexpr char lower_hex_digits[] = "0123456789abcdef", upper_hex_digits[] = "0123456789ABCDEF";

/// Appends a byte as two hexadecimal digits.
inline void append_hex(std::string &out, unsigned char byte, const char *digits = lower_hex_digits) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
}

/// The bytes as lower-case hexadecimal digits.
inline std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes)
        append_hex(text, static_cast<unsigned char>(byte));
    return text;
}

} // namespace reverse_etl
