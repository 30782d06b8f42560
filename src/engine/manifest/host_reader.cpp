#include "engine/manifest/host_reader.h"

namespace reverse_etl {

std::string read_host(const ManifestNode &node) {
    const std::string host = node.literal();
    const std::string name = host.starts_with("*.") ? host.substr(2) : host;
    const bool is_plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:") == name.npos;
    if (!is_plain || name.empty() || name[0] == '.' || (host != name && name.find('.') == name.npos))
        node.fail("must be the name of a host in lower case, or \"*.\" before the end of one that has a dot");
    return host;
}

} // namespace reverse_etl
