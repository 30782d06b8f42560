#include "engine/text/placeholders.h"

namespace reverse_etl {

namespace {

/// The length of the placeholder that starts at text[0] == '{', braces included; 0 if there is none.
std::size_t placeholder_length(std::string_view text) {
    if (text.size() < 3 || text[1] < 'a' || text[1] > 'z')
        return 0;
    for (std::size_t i = 2; i < text.size(); i++) {
        char c = text[i];
        if (c == '}')
            return i + 1;
        bool of_name =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (!of_name)
            return 0;
    }
    return 0;
}

bool is_brace(char c) {
    return c == '{' || c == '}';
}

/// Whether a brace that is written twice begins the text.
bool begins_with_two_braces(std::string_view text) {
    return text.size() > 1 && is_brace(text[0]) && text[1] == text[0];
}

std::vector<TextPart> split(std::string_view text, bool as_written) {
    std::vector<TextPart> parts;
    std::string literal;
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = text.substr(i);
        std::size_t length = rest[0] == '{' ? placeholder_length(rest) : 0;
        if (length == 0) {
            const std::size_t written = begins_with_two_braces(rest) ? 2 : 1;
            literal += rest.substr(0, as_written ? written : 1);
            i += written;
            continue;
        }
        if (!literal.empty())
            parts.push_back({false, std::move(literal)});
        literal.clear();
        parts.push_back({true, std::string(text.substr(i + 1, length - 2))});
        i += length;
    }
    if (!literal.empty())
        parts.push_back({false, std::move(literal)});
    return parts;
}

} // namespace

std::vector<TextPart> split_placeholders(std::string_view text) {
    return split(text, false);
}

std::vector<TextPart> split_as_written(std::string_view text) {
    return split(text, true);
}

bool has_lone_brace(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = text.substr(i);
        const std::size_t placeholder = rest[0] == '{' ? placeholder_length(rest) : 0;
        const bool is_twice = begins_with_two_braces(rest);
        if (is_brace(rest[0]) && placeholder == 0 && !is_twice)
            return true;
        i += placeholder > 0 ? placeholder : is_twice ? 2 : 1;
    }
    return false;
}

std::string with_braces_twice(std::string_view text) {
    std::string result;
    for (const char c : text)
        result.append(is_brace(c) ? 2 : 1, c);
    return result;
}

std::optional<std::string> sole_placeholder(std::string_view text) {
    if (!text.empty() && text[0] == '{' && placeholder_length(text) == text.size())
        return std::string(text.substr(1, text.size() - 2));
    return std::nullopt;
}

std::string substitute(std::string_view text,
                       const std::function<std::optional<std::string>(const std::string &)> &value) {
    std::string result;
    for (const TextPart &part : split_placeholders(text)) {
        if (!part.is_placeholder)
            result += part.text;
        else if (auto replacement = value(part.text))
            result += *replacement;
        else
            result += "{" + part.text + "}";
    }
    return result;
}

} // namespace reverse_etl
