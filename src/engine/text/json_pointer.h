#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// A member's name as it stands in a JSON pointer, RFC 6901 section 3.
inline std::string pointer_token(std::string_view name) {
    std::string token;
    for (const char c : name) {
        if (c == '~')
            token += "~0";
        else if (c == '/')
            token += "~1";
        else
            token += c;
    }
    return token;
}

} // namespace reverse_etl
