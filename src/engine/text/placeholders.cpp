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

} // namespace

std::vector<TextPart> split_placeholders(std::string_view text) {
    std::vector<TextPart> parts;
    std::string literal;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = text[i] == '{' ? placeholder_length(text.substr(i)) : 0;
        if (length == 0) {
            literal += text[i++];
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
