#include "engine/manifest/value_encoding.h"

#include <array>
#include <utility>

namespace reverse_etl {

std::optional<ValueEncoding> value_encoding(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, ValueEncoding>, 6> encodings{{
        {"native", ValueEncoding::native},
        {"string", ValueEncoding::string},
        {"epoch_s", ValueEncoding::epoch_s},
        {"epoch_ms", ValueEncoding::epoch_ms},
        {"semicolon_list", ValueEncoding::semicolon_list},
        {"sha256", ValueEncoding::sha256},
    }};
    for (const auto &[known, encoding] : encodings) {
        if (known == name)
            return encoding;
    }
    return std::nullopt;
}

} // namespace reverse_etl
