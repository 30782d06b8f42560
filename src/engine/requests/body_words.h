#pragma once

#include "engine/text/json_text.h"
#include "engine/text/placeholders.h"

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

inline std::string json_quoted(std::string_view text) {
    std::string result;
    append_json_string(result, text);
    return result;
}

inline std::string percent_encoded(std::string_view text) {
    std::string result;
    append_percent_encoded(result, text);
    return result;
}

/// The name of a member of a template, in which braces are written twice, and a "$" at its beginning too.
inline std::string member_name(const std::string &written) {
    const std::string name = substitute(written, [](const std::string &) { return std::nullopt; });
    return name.starts_with("$$") ? name.substr(1) : name;
}

} // namespace reverse_etl
