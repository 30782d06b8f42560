#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// The names with quotation marks, for a complaint: "a", "b".
std::string listed(std::initializer_list<const char *> names);

/// "; perhaps "request" is meant" where a known name differs from what was written in capitals and in a letter or two;
/// else nothing.
std::string perhaps_meant(std::string_view written, std::initializer_list<const char *> known);

/// The known names, three at most, that somebody may have meant who wrote another: those that differ in a letter or
/// two, and those that are a part of it or it of them.
std::vector<std::string> nearest_names(std::string_view written, const std::vector<std::string> &known);

} // namespace reverse_etl
