#include "engine/http/proxy.h"

#include "engine/text/url_parts.h"

#include <algorithm>

namespace reverse_etl {

bool is_proxy(std::string_view value) {
    static constexpr std::string_view schemes[] = {"http", "https", "socks5h"};
    if (value == "none")
        return true;
    const UrlParts parts = url_parts(value);
    const bool is_known = std::find(std::begin(schemes), std::end(schemes), parts.scheme) != std::end(schemes);
    return is_known && value.size() > parts.scheme.size() + 3 && parts.path == "/" && !parts.host.empty() &&
           value.find_first_of("?#@\\ {}\r\n") == value.npos;
}

} // namespace reverse_etl
