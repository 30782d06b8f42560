#include "engine/manifest/value_encoding.h"

#include <utility>

namespace reverse_etl {

namespace {

constexpr std::pair<std::string_view, ValueEncoding> encodings[] = {
    {"native", ValueEncoding::native},
    {"string", ValueEncoding::string},
    {"epoch_s", ValueEncoding::epoch_s},
    {"epoch_ms", ValueEncoding::epoch_ms},
    {"semicolon_list", ValueEncoding::semicolon_list},
    {"sha256", ValueEncoding::sha256},
    {"trim,lower,sha256", ValueEncoding::trim_lower_sha256},
};

} // namespace

std::optional<ValueEncoding> value_encoding(std::string_view name) {
    for (const auto &[known, encoding] : encodings)
        if (known == name)
            return encoding;
    return std::nullopt;
}

std::string value_encoding_names() {
    std::string names;
    for (const auto &[name, encoding] : encodings)
        names.append(names.empty() ? "\"" : ", \"").append(name).append("\"");
    return names;
}

} // namespace reverse_etl
