#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// The text with ASCII letters in lower case, whatever the locale: for names of headers, fields and tables.
inline std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char &c : result)
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
    return result;
}

} // namespace reverse_etl
