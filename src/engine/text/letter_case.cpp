#include "engine/text/letter_case.h"

#include "engine/text/errors.h"
#include "engine/text/utf8.h"

#include <cwctype>
#include <locale.h>

namespace reverse_etl {

namespace {

static_assert(sizeof(wchar_t) >= 4, "a wchar_t holds every character of Unicode");

/// The one locale of the C library whose letters are those of Unicode, and nobody's language.
locale_t unicode() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
    if (locale == static_cast<locale_t>(nullptr))
        throw SettingError("the system has no locale \"C.UTF-8\", which tells upper case from lower case",
                           "It comes with the C library's package of locales.");
    return locale;
}

template <typename AsciiLetter>
void append_letters(std::string &out, std::string_view text, AsciiLetter ascii, wint_t (*letter)(wint_t, locale_t)) {
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character character = utf8_character(text.substr(i));
        if (character.bytes <= 1)
            out += ascii(text[i]);
        else
            append_utf8(out, static_cast<char32_t>(letter(static_cast<wint_t>(character.point), unicode())));
        i += character.bytes == 0 ? 1 : character.bytes;
    }
}

} // namespace

void append_lower_letters(std::string &out, std::string_view text) {
    append_letters(
        out, text, [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }, towlower_l);
}

void append_upper_letters(std::string &out, std::string_view text) {
    append_letters(
        out, text, [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c); }, towupper_l);
}

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace reverse_etl
