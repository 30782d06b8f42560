#include "engine/text/json_text.h"

#include "engine/text/hex.h"

#include <algorithm>

#include <array>
#include <cstdint>
#include <cstring>

namespace reverse_etl {

namespace {

/// What follows the backslash for each byte; 'u' for those without a short form, 0 for those that need no escape.
constexpr auto escapes = [] {
    std::array<char, 256> table{};
    for (int c = 0; c < ' '; ++c)
        table[c] = 'u';
    table['\b'] = 'b';
    table['\f'] = 'f';
    table['\n'] = 'n';
    table['\r'] = 'r';
    table['\t'] = 't';
    table['"'] = '"';
    table['\\'] = '\\';
    return table;
}();

char escape_of(char c) {
    return escapes[static_cast<unsigned char>(c)];
}

/// Whether any of eight bytes needs an escape, all looked at in one go.
bool any_needs_escape(const char *bytes) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr auto any_less_than = [](std::uint64_t word, std::uint64_t limit) {
        return (word - limit * ones) & ~word & 0x80 * ones;
    };
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return any_less_than(word, ' ') | any_less_than(word ^ '"' * ones, 1) | any_less_than(word ^ '\\' * ones, 1);
}

/// The first position from `from` on that needs an escape, or the text's size.
std::size_t find_escape(std::string_view text, std::size_t from) {
    while (from + 8 <= text.size() && !any_needs_escape(text.data() + from))
        from += 8;
    while (from < text.size() && !escape_of(text[from]))
        ++from;
    return from;
}

void append_escaped(std::string &out, char c) {
    const char escape = escape_of(c);
    out += '\\';
    out += escape;
    if (escape == 'u') {
        out += "00";
        append_hex(out, static_cast<unsigned char>(c));
    }
}

constexpr bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

} // namespace

void append_json_string(std::string &out, std::string_view text) {
    out += '"';
    append_json_characters(out, text);
    out += '"';
}

void append_json_characters(std::string &out, std::string_view text) {
    for (std::size_t from = 0;;) {
        const std::size_t to = find_escape(text, from);
        out.append(text.data() + from, to - from);
        if (to == text.size())
            break;
        append_escaped(out, text[to]);
        from = to + 1;
    }
}

void escape_json_from(std::string &out, std::size_t begin) {
    const std::string_view text = std::string_view(out).substr(begin);
    const std::size_t first = find_escape(text, 0);
    if (first == text.size())
        return;
    const std::string rest(text.substr(first));
    out.resize(begin + first);
    append_json_characters(out, rest);
}

std::string without_nul(std::string_view json) {
    std::string kept;
    kept.reserve(json.size());
    while (!json.empty()) {
        // A backslash takes what follows with it, another backslash too.
        std::size_t length = json.front() == '\\' ? 2 : std::min(json.find('\\'), json.size());
        if (json.starts_with("\\u0000")) {
            kept += "\xef\xbf\xbd";
            length = 6;
        } else {
            kept += json.substr(0, length);
        }
        json.remove_prefix(std::min(length, json.size()));
    }
    return kept;
}

void append_percent_encoded(std::string &out, std::string_view text) {
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        append_hex(out, byte, upper_hex_digits);
    }
}

} // namespace reverse_etl
