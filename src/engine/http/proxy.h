#pragma once

#include <string_view>

namespace reverse_etl {

/// Whether it says through which proxy requests go: "none", or a URL of one of the kinds that libcurl knows. A user and
/// a password have no place in it, since everyone can read the options of a server.
bool is_proxy(std::string_view value);

} // namespace reverse_etl
