#include "engine/manifest/key_form.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace reverse_etl {

namespace {

constexpr std::string_view blanks = " \t\n\v\f\r";

std::string_view trimmed(std::string_view text) {
    std::size_t begin = text.find_first_not_of(blanks);
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The small letter of one in Latin, Greek or Cyrillic. Other scripts of keys have no capital letters, or none that
/// occur in keys.
std::uint32_t small_letter(std::uint32_t c) {
    auto within = [&](std::uint32_t first, std::uint32_t last) { return c >= first && c <= last; };
    if ((within(0xC0, 0xDE) && c != 0xD7) || (within(0x391, 0x3A9) && c != 0x3A2) || within(0x410, 0x42F))
        return c + 0x20;
    if (within(0x400, 0x40F))
        return c + 0x50;
    if (c == 0x178)
        return 0xFF;
    if (c == 0x386)
        return 0x3AC;
    if (within(0x388, 0x38A))
        return c + 0x25;
    if (c == 0x38C)
        return 0x3CC;
    if (within(0x38E, 0x38F))
        return c + 0x3F;
    // Here capital and small letters take turns.
    bool capital_is_even = within(0x100, 0x12F) || within(0x132, 0x137) || within(0x14A, 0x177) ||
                           within(0x460, 0x481) || within(0x48A, 0x4BF) || within(0x4D0, 0x52F) ||
                           within(0x1E00, 0x1E95) || within(0x1EA0, 0x1EFF);
    bool capital_is_odd = within(0x139, 0x148) || within(0x179, 0x17E) || within(0x4C1, 0x4CE);
    return (capital_is_even && c % 2 == 0) || (capital_is_odd && c % 2 == 1) ? c + 1 : c;
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The small letters of eight bytes, all made in one go; false, and nothing is done, if one of them is not ASCII.
bool make_eight_small(char *bytes) {
    constexpr std::uint64_t ones = 0x0101010101010101, high_bits = 0x80 * ones;
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    if ((word & high_bits) != 0)
        return false;
    // The high bit of each byte that is at least 'A', and not past 'Z'. Small letters differ by 0x20 from capitals.
    const std::uint64_t capitals = (word + (0x80 - 'A') * ones) & ~(word + (0x80 - 'Z' - 1) * ones) & high_bits;
    word |= capitals >> 2;
    std::memcpy(bytes, &word, sizeof word);
    return true;
}

/// Makes the letter small that begins here, and goes behind it. A small letter takes as many bytes as its capital.
void make_one_small(char *&letter, const char *end) {
    const auto byte = [&](int i) { return static_cast<unsigned char>(letter[i]); };
    const auto c = byte(0);
    int bytes = 1;
    if (c < 0x80) {
        letter[0] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    } else if (c >= 0xC3 && c <= 0xDF && end - letter > 1 && is_continuation(letter[1])) {
        const std::uint32_t small = small_letter((c & 0x1FU) << 6 | (byte(1) & 0x3FU));
        letter[0] = static_cast<char>(0xC0 | small >> 6);
        letter[1] = static_cast<char>(0x80 | (small & 0x3F));
        bytes = 2;
    } else if (c == 0xE1 && end - letter > 2 && is_continuation(letter[1]) && is_continuation(letter[2])) {
        const std::uint32_t small = small_letter((c & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU));
        letter[0] = static_cast<char>(0xE0 | small >> 12);
        letter[1] = static_cast<char>(0x80 | (small >> 6 & 0x3F));
        letter[2] = static_cast<char>(0x80 | (small & 0x3F));
        bytes = 3;
    }
    letter += bytes;
}

void append_in_small_letters(std::string_view text, std::string &out) {
    const std::size_t begin = out.size();
    out += text;
    char *letter = out.data() + begin;
    const char *end = out.data() + out.size();
    while (letter < end) {
        if (end - letter >= 8 && make_eight_small(letter))
            letter += 8;
        else
            make_one_small(letter, end);
    }
}

/// A number without the zeros at its end. One with an exponent stays as it is.
std::string_view plain_number(std::string_view number) {
    if (number.find('.') != number.npos && number.find_first_of("eE") == number.npos) {
        number = number.substr(0, number.find_last_not_of('0') + 1);
        if (number.ends_with('.'))
            number.remove_suffix(1);
    }
    return number == "-0" ? "0" : number;
}

} // namespace

std::optional<KeyForm> key_form(std::string_view words) {
    KeyForm form;
    for (std::size_t begin = 0; begin <= words.size();) {
        std::size_t end = std::min(words.find(',', begin), words.size());
        std::string_view word = trimmed(words.substr(begin, end - begin));
        if (word == "case_insensitive")
            form.case_insensitive = true;
        else if (word == "trimmed")
            form.trimmed = true;
        else if (word != "exact")
            return std::nullopt;
        begin = end + 1;
    }
    return form;
}

void append_in_form(KeyForm form, std::string_view text, std::string &out) {
    if (form.trimmed)
        text = trimmed(text);
    if (form.case_insensitive)
        append_in_small_letters(text, out);
    else
        out += text;
}

std::string in_form(KeyForm form, std::string_view text) {
    std::string out;
    append_in_form(form, text, out);
    return out;
}

void append_json_in_form(KeyForm form, std::string_view json, std::string_view text, std::string &out) {
    if (json.starts_with('"'))
        append_in_form(form, text, out);
    else
        out += plain_number(json);
}

} // namespace reverse_etl
