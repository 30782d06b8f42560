#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace reverse_etl {

/// The names with quotation marks, for a complaint: "a", "b".
std::string listed(std::initializer_list<const char *> names);

/// "; perhaps "request" is meant" where a known name differs from what was written in capitals and in a letter or two;
/// else nothing.
std::string perhaps_meant(std::string_view written, std::initializer_list<const char *> known);

} // namespace reverse_etl
