#include "text.h"

#include <charconv>
#include <chrono>
#include <ctime>
#include <random>

namespace reverse_etl::sandbox {

std::string percent_decoded(std::string_view text, bool plus_is_space) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned char byte = 0;
        if (text[at] == '%' && at + 2 < text.size() &&
            std::from_chars(text.data() + at + 1, text.data() + at + 3, byte, 16).ptr == text.data() + at + 3) {
            out += static_cast<char>(byte);
            at += 2;
        } else {
            out += text[at] == '+' && plus_is_space ? ' ' : text[at];
        }
    }
    return out;
}

Fields form_fields(std::string_view text) {
    Fields fields;
    for (const std::string &pair : split(text, '&')) {
        std::size_t equals = std::min(pair.find('='), pair.size());
        std::string_view whole = pair;
        fields[percent_decoded(whole.substr(0, equals), true)] =
            percent_decoded(whole.substr(std::min(equals + 1, whole.size())), true);
    }
    return fields;
}

std::string_view field(const Fields &fields, std::string_view name, std::string_view otherwise) {
    auto found = fields.find(name);
    return found == fields.end() ? otherwise : std::string_view(found->second);
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0)
            parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char &c : out)
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
    return out;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
    for (std::string_view prefix : prefixes)
        if (text.starts_with(prefix))
            return true;
    return false;
}

void append_number(std::string &out, std::int64_t number) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_time(std::string &out, std::int64_t ms) {
    // A batch's rows share one second: its text is made once.
    thread_local std::int64_t last_second = -1;
    thread_local char text[32];
    std::time_t second = ms / 1000;
    if (second != last_second) {
        std::tm utc{};
        gmtime_r(&second, &utc);
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
        last_second = second;
    }
    int millis = static_cast<int>(ms % 1000);
    out.append(text, 20);
    out += static_cast<char>('0' + millis / 100);
    out += static_cast<char>('0' + millis / 10 % 10);
    out += static_cast<char>('0' + millis % 10);
    out += 'Z';
}

std::string http_date(std::int64_t ms) {
    std::time_t second = ms / 1000;
    std::tm utc{};
    gmtime_r(&second, &utc);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return text;
}

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::string random_uuid() {
    thread_local std::mt19937_64 random(std::random_device{}());
    char text[40];
    std::uint64_t high = random(), low = random();
    std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                  static_cast<unsigned>(0x8000 | (low >> 48 & 0x3fff)),
                  static_cast<unsigned long long>(low & 0xffffffffffff));
    return text;
}

} // namespace reverse_etl::sandbox
