#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// The JSON text with every value in a form that a parser takes: what stands in one value decides about that value
/// alone. A number that no machine word and no double holds exactly becomes a string that begins with U+0000 and goes
/// on with its digits; half a surrogate pair and bytes that are no UTF-8 become U+FFFD; NaN and Infinity, which are no
/// JSON, become strings. A mark at the text's beginning that tells its encoding is left out.
std::string exact_json(std::string_view json);

/// The digits of a number that exact_json() kept; "" for any other string.
std::string_view exact_number(std::string_view string);

} // namespace reverse_etl
