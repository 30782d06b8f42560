#include "engine/text/text_pattern.h"

#include <algorithm>
#include <charconv>

namespace reverse_etl {

namespace {

constexpr std::size_t most_steps = 300;
constexpr int without_end = -1;

using Bytes = std::bitset<256>;

bool is_sign(char c) {
    return std::string_view("\\[](){}*+?|^$.").find(c) != std::string_view::npos;
}

/// One byte, by itself or behind a backslash; the text loses it.
std::optional<unsigned char> take_byte(std::string_view &text, bool in_class) {
    if (text.empty())
        return std::nullopt;
    const bool is_escaped = text[0] == '\\';
    if (is_escaped)
        text.remove_prefix(1);
    if (text.empty())
        return std::nullopt;
    const char c = text[0];
    const bool stands_for_itself = is_sign(c) || c == '-' || c == '/';
    const bool is_plain = in_class ? c != '[' && c != ']' && c != '^' : !is_sign(c);
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~' ||
        (is_escaped ? !stands_for_itself : !is_plain))
        return std::nullopt;
    text.remove_prefix(1);
    return static_cast<unsigned char>(c);
}

/// The inside of a class, behind its "[".
std::optional<Bytes> take_class(std::string_view &text) {
    Bytes bytes;
    while (!text.empty() && text[0] != ']') {
        const auto first = take_byte(text, true);
        auto last = first;
        if (first && text.size() > 1 && text[0] == '-' && text[1] != ']') {
            text.remove_prefix(1);
            last = take_byte(text, true);
        }
        if (!first || !last || *last < *first)
            return std::nullopt;
        for (int c = *first; c <= *last; c++)
            bytes.set(c);
    }
    if (text.empty() || bytes.none())
        return std::nullopt;
    text.remove_prefix(1);
    return bytes;
}

std::optional<Bytes> take_atom(std::string_view &text) {
    Bytes bytes;
    if (text[0] == '[' || text[0] == '.') {
        const bool is_class = text[0] == '[';
        text.remove_prefix(1);
        if (is_class)
            return take_class(text);
        for (int c = ' '; c < 256; c++)
            bytes.set(c);
        return bytes;
    }
    const auto byte = take_byte(text, false);
    if (!byte)
        return std::nullopt;
    bytes.set(*byte);
    return bytes;
}

struct Times {
    int least = 1, most = 1;
};

std::optional<int> take_number(std::string_view &text) {
    int number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0)
        return std::nullopt;
    text.remove_prefix(end - text.data());
    return number;
}

std::optional<Times> take_times(std::string_view &text) {
    if (text.empty() || std::string_view("?*+{").find(text[0]) == std::string_view::npos)
        return Times();
    const char sign = text[0];
    text.remove_prefix(1);
    if (sign != '{')
        return Times{sign == '+' ? 1 : 0, sign == '?' ? 1 : without_end};
    const auto least = take_number(text);
    auto most = least;
    if (least && text.starts_with(',')) {
        text.remove_prefix(1);
        most = text.starts_with('}') ? without_end : take_number(text);
    }
    if (!most || !text.starts_with('}') || (*most != without_end && *most < *least))
        return std::nullopt;
    text.remove_prefix(1);
    return Times{*least, *most};
}

} // namespace

bool TextPattern::add_steps(std::string_view pattern, Steps &steps) {
    while (!pattern.empty()) {
        const auto bytes = take_atom(pattern);
        const auto times = bytes ? take_times(pattern) : std::nullopt;
        if (!times || std::max(times->least, times->most) > static_cast<int>(most_steps))
            return false;
        const int count = std::max({times->least, times->most, 1});
        for (int i = 0; i < count && times->most != 0; i++)
            steps.push_back({*bytes, i >= times->least, times->most == without_end && i == count - 1});
        if (steps.size() > most_steps)
            return false;
    }
    return true;
}

std::optional<TextPattern> TextPattern::parse(std::string_view pattern) {
    TextPattern result;
    std::size_t begin = 0, steps = 0;
    for (std::size_t i = 0; i <= pattern.size(); i++) {
        if (i < pattern.size() && pattern[i] == '\\') {
            i++;
            continue;
        }
        if (i < pattern.size() && pattern[i] != '|')
            continue;
        Steps alternative;
        if (!add_steps(pattern.substr(begin, i - begin), alternative))
            return std::nullopt;
        steps += alternative.size() + 1;
        if (steps > most_steps)
            return std::nullopt;
        result.alternatives_.push_back(std::move(alternative));
        begin = i + 1;
    }
    return begin > pattern.size() ? std::optional(std::move(result)) : std::nullopt;
}

bool TextPattern::follows(const Steps &steps, std::string_view text) {
    // at[i]: what was read so far may be followed by step i
    std::vector<bool> at(steps.size() + 1), next;
    const auto leave_out = [&](std::vector<bool> &places) {
        for (std::size_t i = 0; i < steps.size(); i++)
            if (places[i] && steps[i].may_be_left_out)
                places[i + 1] = true;
    };
    at[0] = true;
    leave_out(at);
    for (const char c : text) {
        next.assign(steps.size() + 1, false);
        for (std::size_t i = 0; i < steps.size(); i++)
            if (at[i] && steps[i].bytes.test(static_cast<unsigned char>(c))) {
                next[i + 1] = true;
                if (steps[i].may_repeat)
                    next[i] = true;
            }
        leave_out(next);
        at.swap(next);
    }
    return at[steps.size()];
}

bool TextPattern::matches(std::string_view text) const {
    return std::any_of(alternatives_.begin(), alternatives_.end(),
                       [&](const Steps &steps) { return follows(steps, text); });
}

} // namespace reverse_etl
