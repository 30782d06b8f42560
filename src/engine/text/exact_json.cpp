#include "engine/text/exact_json.h"

#include "engine/text/hex.h"
#include "engine/text/utf8.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view replacement = "\\ufffd";
/// Whole numbers of fewer digits fit into 64 bits.
constexpr std::size_t digits_of_word = 18;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_of_token(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

std::size_t digits_at(std::string_view text) {
    return std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
}

/// A number as RFC 8259 section 6 has it.
bool is_number(std::string_view text) {
    if (text.starts_with('-'))
        text.remove_prefix(1);
    const std::size_t whole = digits_at(text);
    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return false;
    text.remove_prefix(whole);
    if (text.starts_with('.')) {
        const std::size_t fraction = digits_at(text.substr(1));
        if (fraction == 0)
            return false;
        text.remove_prefix(1 + fraction);
    }
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('-') || text.starts_with('+'))
            text.remove_prefix(1);
        const std::size_t exponent = digits_at(text);
        return exponent > 0 && exponent == text.size();
    }
    return text.empty();
}

bool fits_word(std::string_view number) {
    return number.size() <= digits_of_word && number.find_first_of(".eE") == number.npos;
}

class Writer {
  public:
    explicit Writer(std::string_view json) : rest_(json) { out_.reserve(json.size() + json.size() / 8); }

    std::string write() {
        while (!rest_.empty()) {
            if (rest_[0] == '"')
                string();
            else if (is_of_token(rest_[0]))
                token();
            else
                copy(1);
        }
        return std::move(out_);
    }

  private:
    void copy(std::size_t bytes) {
        out_ += rest_.substr(0, bytes);
        rest_.remove_prefix(std::min(bytes, rest_.size()));
    }

    void replace(std::size_t bytes, std::string_view text) {
        out_ += text;
        rest_.remove_prefix(std::min(bytes, rest_.size()));
    }

    void token() {
        const std::size_t size = std::find_if_not(rest_.begin(), rest_.end(), is_of_token) - rest_.begin();
        const std::string_view text = rest_.substr(0, size);
        if (text == "true" || text == "false" || text == "null" || (is_number(text) && fits_word(text)))
            copy(size);
        else if (is_number(text))
            replace(size, "\"\\u0000" + std::string(text) + '"');
        else if (text == "NaN" || text == "Infinity" || text == "-Infinity")
            replace(size, '"' + std::string(text) + '"');
        else
            copy(size); // whatever it is, it is no value
    }

    void string() {
        copy(1);
        while (!rest_.empty()) {
            const auto *end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
                return c == '"' || c == '\\' || static_cast<unsigned char>(c) >= 0x80 || (c >= 0 && c < ' ');
            });
            copy(end - rest_.begin());
            if (rest_.empty())
                return;
            if (rest_[0] == '"') {
                copy(1);
                return;
            }
            if (rest_[0] == '\\')
                escape();
            else
                character();
        }
    }

    void character() {
        const std::size_t bytes = utf8_character(rest_).bytes;
        if (bytes > 1)
            copy(bytes);
        else if (bytes == 0)
            replace(1, replacement);
        else
            replace(1, control_escape(rest_[0]));
    }

    static std::string control_escape(char c) {
        std::string escape = "\\u00";
        append_hex(escape, static_cast<unsigned char>(c));
        return escape;
    }

    /// The unit of UTF-16 that the text begins with as "\uXXXX"; -1 for none.
    static int unit(std::string_view text) {
        if (!text.starts_with("\\u") || text.size() < 6)
            return -1;
        int unit = 0;
        for (const char c : text.substr(2, 4)) {
            static constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF"; // both cases
            const std::size_t digit = digits.find(c);
            if (digit == digits.npos)
                return -1;
            unit = unit * 16 + static_cast<int>(digit % 16);
        }
        return unit;
    }

    void escape() {
        const auto is_high = [](int one) { return one >= 0xd800 && one < 0xdc00; };
        const auto is_low = [](int one) { return one >= 0xdc00 && one < 0xe000; };
        const int first = unit(rest_);
        if (is_high(first) && is_low(unit(rest_.substr(6))))
            copy(12);
        else if (is_high(first) || is_low(first))
            replace(6, replacement);
        else if (first >= 0)
            copy(6);
        else if (rest_.size() > 1 && std::string_view("\"\\/bfnrt").find(rest_[1]) != std::string_view::npos)
            copy(2);
        else
            replace(1, "\\\\");
    }

    std::string_view rest_;
    std::string out_;
};

} // namespace

std::string exact_json(std::string_view json) {
    if (json.starts_with(byte_order_mark))
        json.remove_prefix(byte_order_mark.size());
    return Writer(json).write();
}

std::string_view exact_number(std::string_view string) {
    const bool marked = !string.empty() && string[0] == '\0' && is_number(string.substr(1));
    return marked ? string.substr(1) : std::string_view();
}

} // namespace reverse_etl
