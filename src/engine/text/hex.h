#pragma once

#include <string>

namespace reverse_etl {

inline constexpr char lower_hex_digits[] = "0123456789abcdef", upper_hex_digits[] = "0123456789ABCDEF";

/// Appends a byte as two hexadecimal digits.
inline void append_hex(std::string &out, unsigned char byte, const char *digits = lower_hex_digits) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
}

} // namespace reverse_etl
