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

/// A placeholder is a name in braces: a lower-case letter, then letters, digits, '_' and '.'. A brace of the text
/// itself is written twice, "{{" and "}}"; one that is neither stays as it is.
std::vector<TextPart> split_placeholders(std::string_view text);

/// The same, with the braces of the literals as they are written.
std::vector<TextPart> split_as_written(std::string_view text);

/// Whether a brace stands in the text that is neither written twice nor part of a placeholder.
bool has_lone_brace(std::string_view text);

/// The text as it is written in a template: with its braces twice.
std::string with_braces_twice(std::string_view text);

/// The name, if text is one placeholder and nothing else.
std::optional<std::string> sole_placeholder(std::string_view text);

/// What a template says: the text with each placeholder replaced by what `value` answers, and each brace once. Those it
/// answers nothing for stay as they are.
std::string substitute(std::string_view text,
                       const std::function<std::optional<std::string>(const std::string &)> &value);

} // namespace reverse_etl
