#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A string of a manifest cut at its placeholders: "/v1/{object}/{key}" is "/v1/", {object}, "/", {key}.
struct TextPart {
    bool is_placeholder = false;
    std::string text; ///< the literal, or the placeholder's name
};

/// A placeholder is a name in braces: a lower-case letter, then letters, digits, '_' and '.'. Other braces are text.
std::vector<TextPart> split_placeholders(std::string_view text);

/// The name, if text is one placeholder and nothing else.
std::optional<std::string> sole_placeholder(std::string_view text);

/// text with each placeholder replaced by what `value` answers; those it answers nothing for stay as they are.
std::string substitute(std::string_view text,
                       const std::function<std::optional<std::string>(const std::string &)> &value);

} // namespace reverse_etl
