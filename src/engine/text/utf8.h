#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reverse_etl {

/// The character that a text in UTF-8 begins with, and its bytes (RFC 3629); 0 bytes where that is no UTF-8.
struct Utf8Character {
    char32_t point = 0;
    std::size_t bytes = 0;
};
Utf8Character utf8_character(std::string_view text);

/// Appends a character; U+FFFD for what is none (half a surrogate pair, a number too large).
void append_utf8(std::string &out, char32_t point);

/// The text with U+FFFD in place of each byte that is no UTF-8, and of U+0000.
std::string as_utf8(std::string_view text);

} // namespace reverse_etl
