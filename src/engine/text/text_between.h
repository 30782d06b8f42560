#pragma once

#include <optional>
#include <string_view>

namespace reverse_etl {

/// What stands behind the last of the texts `after`, and before the next of the texts `before`; "" for the one begins,
/// and for the other ends the text. Nothing where `after` does not stand there; to the end where `before` does not.
inline std::optional<std::string_view> text_between(std::string_view text, std::string_view after,
                                                    std::string_view before) {
    const std::size_t found = after.empty() ? 0 : text.rfind(after);
    if (found == text.npos)
        return std::nullopt;
    text.remove_prefix(found + after.size());
    return before.empty() ? text : text.substr(0, text.find(before));
}

} // namespace reverse_etl
