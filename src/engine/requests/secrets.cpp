#include "engine/requests/secrets.h"

#include "engine/text/base64.h"
#include "engine/text/lower_case.h"
#include "engine/text/utf8.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace reverse_etl {

namespace {

constexpr std::size_t shortest = 4;
/// A text of so many bytes is one that somebody drew, and no word.
constexpr std::size_t long_enough = 8;
/// So much of a secret at a text's end is taken for its beginning, and for the least that base64 keeps of it.
constexpr std::size_t least_part = 6;
constexpr std::size_t most_passing = 4;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_of_word(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// What a piece of text says once its escape is undone.
struct UnescapedText {
    std::size_t length = 0; ///< of the escape; 0: there is none
    std::string bytes;
};

std::size_t number_at(std::string_view text, std::size_t digits, int base, unsigned &number) {
    const std::string_view piece = text.substr(0, digits);
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), number, base);
    return error == std::errc() ? end - piece.data() : 0;
}

/// "%2F", RFC 3986 section 2.1, and the "+" of forms.
UnescapedText percent_escape(std::string_view text) {
    unsigned byte = 0;
    if (text[0] == '+')
        return {1, " "};
    if (text[0] == '%' && number_at(text.substr(1), 2, 16, byte) == 2)
        return {3, std::string(1, static_cast<char>(byte))};
    return {};
}

/// "\n", "é", RFC 8259 section 7, however often the text was put into another JSON string.
UnescapedText json_escape(std::string_view text) {
    const std::size_t slashes = std::min(text.find_first_not_of('\\'), text.size());
    if (slashes == 0)
        return {};
    if (slashes == text.size())
        return {slashes, "\\"};
    static constexpr std::string_view names = "bfnrt\"/", meanings = "\b\f\n\r\t\"/";
    const std::string_view rest = text.substr(slashes);
    unsigned high = 0, low = 0;
    if (rest[0] == 'u' && number_at(rest.substr(1), 4, 16, high) == 4) {
        std::size_t length = slashes + 5;
        char32_t point = high;
        const std::string_view next = rest.substr(5);
        const std::size_t more = std::min(next.find_first_not_of('\\'), next.size());
        if (high >= 0xd800 && high < 0xdc00 && more > 0 && next.substr(more).starts_with('u') &&
            number_at(next.substr(more + 1), 4, 16, low) == 4) {
            point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            length += more + 5;
        }
        UnescapedText unescaped{length, ""};
        append_utf8(unescaped.bytes, point);
        return unescaped;
    }
    if (const std::size_t name = names.find(rest[0]); name != names.npos)
        return {slashes + 1, std::string(1, meanings[name])};
    return {slashes, "\\"};
}

/// "&amp;", "&#38;", "&#x26;"
UnescapedText html_escape(std::string_view text) {
    if (text[0] != '&')
        return {};
    static constexpr std::pair<std::string_view, const char *> names[] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
    for (const auto &[name, meaning] : names)
        if (text.starts_with(name))
            return {name.size(), meaning};
    unsigned point = 0;
    const bool hex = text.starts_with("&#x") || text.starts_with("&#X");
    const std::size_t begin = hex ? 3 : 2;
    const std::size_t digits = text.starts_with("&#") ? number_at(text.substr(begin), 7, hex ? 16 : 10, point) : 0;
    if (digits == 0 || !text.substr(begin + digits).starts_with(';'))
        return {};
    UnescapedText unescaped{begin + digits + 1, ""};
    append_utf8(unescaped.bytes, point);
    return unescaped;
}

/// How much of the text is the secret, spelled as it is or with escapes; 0: it is not. The secret is in lower case.
std::size_t spelled(std::string_view text, std::string_view secret, bool escaped) {
    std::size_t at = 0, known = 0;
    while (known < secret.size() && at < text.size()) {
        UnescapedText unescaped;
        if (escaped)
            for (auto read : {percent_escape, json_escape, html_escape})
                if (unescaped.length == 0)
                    unescaped = read(text.substr(at));
        const bool as_it_is = unescaped.length == 0;
        const std::string found = as_it_is ? std::string(1, lower(text[at])) : lower_case(unescaped.bytes);
        const std::string_view left = secret.substr(known);
        if (left.starts_with(found)) {
            at += as_it_is ? 1 : unescaped.length;
            known += found.size();
        } else if (left[0] == lower(text[at])) {
            at++;
            known++;
        } else {
            return 0;
        }
    }
    return known == secret.size() || known >= least_part ? at : 0;
}

} // namespace

Secrets::Spellings Secrets::spellings_of(std::string_view secret) {
    if (secret.size() < shortest)
        return {};
    Spellings spellings = {{lower_case(std::string(secret)), secret.size() < long_enough}};
    // Within a longer text its bits stand at one of three places; what they share with their neighbours is left out.
    for (std::size_t before = 0; before < 3; before++) {
        const std::string text = base64(std::string(before, '\0') + std::string(secret));
        const std::size_t begin = (before * 8 + 5) / 6, end = (before + secret.size()) * 8 / 6;
        std::string own = text.substr(begin, end - begin);
        if (own.size() < least_part)
            continue;
        std::string of_urls = own;
        std::replace(of_urls.begin(), of_urls.end(), '+', '-');
        std::replace(of_urls.begin(), of_urls.end(), '/', '_');
        if (of_urls != own)
            spellings.push_back({lower_case(of_urls)});
        spellings.push_back({lower_case(own)});
    }
    return spellings;
}

void Secrets::add(std::string_view secret) {
    for (Spelling &spelling : spellings_of(secret))
        lasting_.push_back(std::move(spelling));
}

void Secrets::add_passing(std::string_view secret) {
    passing_.push_back(spellings_of(secret));
    if (passing_.size() > most_passing)
        passing_.pop_front();
}

std::size_t Secrets::longest_match(const Spellings &spellings, std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    const bool may_be_escaped = std::string_view("%+\\&").find(rest[0]) != std::string_view::npos;
    std::size_t longest = 0;
    for (const Spelling &spelling : spellings) {
        if (spelling.text[0] != lower(rest[0]) && !may_be_escaped)
            continue;
        const std::size_t length = std::max(spelled(rest, spelling.text, false), spelled(rest, spelling.text, true));
        const bool within_word =
            (at > 0 && is_of_word(text[at - 1])) || (length < rest.size() && is_of_word(rest[length]));
        if (!spelling.alone || !within_word)
            longest = std::max(longest, length);
    }
    return longest;
}

std::string Secrets::hide(std::string_view text) const {
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = longest_match(lasting_, text, at);
        for (const Spellings &spellings : passing_)
            length = std::max(length, longest_match(spellings, text, at));
        if (length == 0)
            shown += text[at++];
        else
            shown += "***";
        at += length;
    }
    return shown;
}

} // namespace reverse_etl
