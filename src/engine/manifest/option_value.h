#pragma once

#include "engine/manifest/connector.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// Whether this is a URL to which paths can be appended: http or https, without user, password, query and fragment.
bool is_base_url(std::string_view value);

/// What the value of a connector's option needs to be, "must be ..."; "" if it is that.
std::string needs_of_option(const OptionSpec &option, const std::string &value);

} // namespace reverse_etl
