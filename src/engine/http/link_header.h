#pragma once

#include "engine/text/headers.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// Where the Link headers of an answer (RFC 8288) lead to by that relation; "" if nowhere. Names of headers are in
/// lower case.
std::string link_target(const Headers &headers, std::string_view relation);

} // namespace reverse_etl
