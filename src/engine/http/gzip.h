#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// RFC 1952.
std::string gzip(std::string_view bytes);

} // namespace reverse_etl
