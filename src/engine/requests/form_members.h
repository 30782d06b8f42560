#pragma once

#include "engine/manifest/body_format.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// Appends the members of a JSON object, or the elements of an array, as parameters of a form: name[member]=value.
/// `name` is percent-encoded already; `begin` is where the form begins in `out`. Numbers stay as they are written.
void append_form_members(std::string &out, std::size_t begin, std::string_view name, std::string_view json,
                         BodyFormat::Arrays arrays);

} // namespace reverse_etl
