#pragma once

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// The URL that a reference stands for, seen from a URL (RFC 3986 section 5), without its fragment. Nothing if it is
/// none, or names a user.
std::optional<std::string> resolve_reference(const std::string &from, const std::string &reference);

/// Whether both are of one scheme, host and port.
bool have_one_origin(const std::string &url, const std::string &other);

/// Whether the URL goes to one of these hosts, "*.example.com" for all within a domain, by this scheme or by https. Not
/// if it names a user.
bool goes_to(const std::string &url, const std::vector<std::string> &hosts, const std::string &scheme);

} // namespace reverse_etl
