#include "engine/http/link_header.h"

#include "engine/text/lower_case.h"

#include <algorithm>

namespace reverse_etl {

namespace {

void skip_blanks(std::string_view &text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// Takes a token or a quoted string from the front.
std::string take_value(std::string_view &text) {
    std::string value;
    if (!text.starts_with('"')) {
        const std::size_t end = std::min(text.find_first_of(" \t;,"), text.size());
        value = text.substr(0, end);
        text.remove_prefix(end);
        return value;
    }
    text.remove_prefix(1);
    while (!text.empty() && text[0] != '"') {
        if (text[0] == '\\' && text.size() > 1)
            text.remove_prefix(1);
        value += text[0];
        text.remove_prefix(1);
    }
    text.remove_prefix(std::min<std::size_t>(1, text.size()));
    return value;
}

/// Takes the parameters of a link: its relations, blanks between and around them; "" if there are none.
std::string take_relations(std::string_view &text) {
    std::string relations;
    bool is_first = true;
    for (skip_blanks(text); text.starts_with(';'); skip_blanks(text)) {
        text.remove_prefix(1);
        skip_blanks(text);
        const std::size_t end = std::min(text.find_first_of("= \t;,"), text.size());
        const std::string name = lower_case(text.substr(0, end));
        text.remove_prefix(end);
        skip_blanks(text);
        std::string value;
        if (text.starts_with('=')) {
            text.remove_prefix(1);
            skip_blanks(text);
            value = take_value(text);
        }
        // Of several the first counts.
        if (name == "rel" && is_first) {
            relations = " " + lower_case(value) + " ";
            is_first = false;
        }
    }
    return relations;
}

std::string target_within(std::string_view text, const std::string &wanted) {
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t,"), text.size()));
        const std::size_t end = text.starts_with('<') ? text.find('>') : text.npos;
        if (end == text.npos)
            return "";
        const std::string target(text.substr(1, end - 1));
        text.remove_prefix(end + 1);
        if (take_relations(text).find(wanted) != std::string::npos)
            return target;
    }
}

} // namespace

std::string link_target(const Headers &headers, std::string_view relation) {
    const std::string wanted = " " + lower_case(relation) + " ";
    for (const auto &[name, value] : headers)
        if (name == "link")
            if (std::string target = target_within(value, wanted); !target.empty())
                return target;
    return "";
}

} // namespace reverse_etl
