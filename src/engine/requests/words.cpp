#include "engine/requests/words.h"

#include "engine/text/lower_case.h"
#include "engine/text/utf8.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

namespace reverse_etl {

namespace {

/// Nobody reads more of an answer to find what it says, however large it is.
constexpr std::size_t most_looked_at = 32 << 10;

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Characters that are not seen, or that change how their neighbours are seen.
bool is_invisible(char32_t point) {
    return point < ' ' || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
           point >= 0xe0000;
}

void append_escape(std::string &out, const char *format, unsigned number) {
    char text[16];
    std::snprintf(text, sizeof(text), format, number);
    out += text;
}

/// One line of valid UTF-8: runs of blanks become one, what is not seen an escape.
std::string visible(std::string_view text) {
    std::string line;
    bool blank = false;
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            blank = true;
            at++;
            continue;
        }
        if (std::exchange(blank, false) && !line.empty())
            line += ' ';
        const auto [point, bytes] = utf8_character(text.substr(at));
        if (bytes == 0)
            append_escape(line, "\\x%02x", static_cast<unsigned char>(text[at]));
        else if (is_invisible(point))
            append_escape(line, point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
        else
            line += text.substr(at, bytes);
        at += std::max<std::size_t>(bytes, 1);
    }
    return line;
}

/// Without the mark that tells UTF-8.
std::string_view without_mark(std::string_view body) {
    return body.substr(body.starts_with("\xef\xbb\xbf") ? 3 : 0);
}

/// A page's text, without its tags and without what is for the browser.
std::string text_of_page(std::string_view page) {
    const std::string lowered = lower_case(page);
    std::string text;
    for (std::size_t at = 0; at < page.size();) {
        if (page[at] != '<') {
            text += page[at++];
            continue;
        }
        const char *close = ">";
        if (lowered.compare(at, 4, "<!--") == 0)
            close = "-->";
        else if (lowered.compare(at, 7, "<script") == 0)
            close = "</script>";
        else if (lowered.compare(at, 6, "<style") == 0)
            close = "</style>";
        const std::size_t end = lowered.find(close, at);
        at = end == lowered.npos ? page.size() : end + std::string_view(close).size();
        text += ' ';
    }
    return text;
}

} // namespace

std::string Words::of(std::string_view said, std::size_t most) const {
    std::string text = visible(secrets_.hide(said.substr(0, most_looked_at)));
    if (storable_ != nullptr)
        text = storable_(text);
    return beginning(std::move(text), most);
}

std::string Words::of_body(std::string_view body) const {
    body = without_mark(body).substr(0, most_looked_at);
    std::string text = of(is_web_page(body) ? text_of_page(body) : std::string(body));
    // "{}" says nothing.
    const bool has_words =
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; });
    return has_words ? text : "";
}

bool is_web_page(std::string_view body) {
    body = without_mark(body);
    const auto *begin = std::find_if_not(body.begin(), body.end(), is_blank);
    const std::string start = lower_case(body.substr(begin - body.begin(), 14));
    return start.starts_with("<!doctype html") || start.starts_with("<html");
}

std::string beginning(std::string text, std::size_t most_bytes) {
    if (text.size() <= most_bytes)
        return text;
    auto continues = [](char c) { return (c & 0xc0) == 0x80; };
    while (most_bytes > 0 && continues(text[most_bytes]))
        most_bytes--;
    text.resize(most_bytes);
    return text;
}

} // namespace reverse_etl
