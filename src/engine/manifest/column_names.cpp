#include "engine/manifest/column_names.h"

#include "engine/text/lower_case.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr std::size_t most_name_bytes = 63;

/// No letter is cut in two.
std::string cut(const std::string &text, std::size_t most_bytes) {
    std::size_t bytes = std::min(text.size(), most_bytes);
    while (bytes > 0 && bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80)
        bytes--;
    return text.substr(0, bytes);
}

} // namespace

std::string as_name(const std::string &text) {
    return cut(text, most_name_bytes);
}

std::string FreeNames::name_for(const std::string &text) {
    const std::string wanted = lower_case(text);
    std::string name = as_name(wanted);
    if (taken_.insert(name).second)
        return name;
    // Not from 2 on each time: an account may call thousands of things the same.
    int &number = numbers_.try_emplace(name, 1).first->second;
    do {
        const std::string suffix = "_" + std::to_string(++number);
        name = cut(wanted, most_name_bytes - suffix.size()) + suffix;
    } while (!taken_.insert(name).second);
    return name;
}

FreeNames names_of_columns() {
    FreeNames names;
    for (const char *name : {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"})
        names.take(name);
    return names;
}

} // namespace reverse_etl
