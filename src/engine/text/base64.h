#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes);

/// The bytes; nothing if the text is not base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

} // namespace reverse_etl
