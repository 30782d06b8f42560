#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// A text of comma-separated values (RFC 4180) as a JSON array: each line behind the first an object of strings, named
/// by the first. Throws std::runtime_error where a line has another number of values than the first, or a quote does
/// not end.
std::string json_of_csv(std::string_view text);

/// A text of JSON values, one a line, as a JSON array.
std::string json_of_lines(std::string_view text);

} // namespace reverse_etl
