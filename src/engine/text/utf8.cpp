#include "engine/text/utf8.h"

namespace reverse_etl {

namespace {

bool is_character(char32_t point) {
    return point < 0x110000 && (point < 0xd800 || point > 0xdfff);
}

} // namespace

Utf8Character utf8_character(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    if (text.empty())
        return {};
    if (byte(0) < 0x80)
        return {byte(0), 1};
    const std::size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
    if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes)
        return {};
    char32_t point = byte(0) & (0xff >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; i++) {
        if ((byte(i) & 0xc0) != 0x80)
            return {};
        point = point << 6 | (byte(i) & 0x3f);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[bytes] || !is_character(point))
        return {};
    return {point, bytes};
}

void append_utf8(std::string &out, char32_t point) {
    if (!is_character(point))
        point = 0xfffd;
    const auto continued = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3f)); };
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xc0 | point >> 6);
        out += continued(0);
    } else if (point < 0x10000) {
        out += static_cast<char>(0xe0 | point >> 12);
        out += {continued(6), continued(0)};
    } else {
        out += static_cast<char>(0xf0 | point >> 18);
        out += {continued(12), continued(6), continued(0)};
    }
}

std::string as_utf8(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const Utf8Character character = utf8_character(text);
        const bool is_right = character.bytes > 0 && character.point != 0;
        if (is_right)
            result += text.substr(0, character.bytes);
        else
            result += "\uFFFD";
        text.remove_prefix(is_right ? character.bytes : 1);
    }
    return result;
}

} // namespace reverse_etl
