#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// Appends text as a JSON string, quotes included. The text must be UTF-8.
void append_json_string(std::string &out, std::string_view text);

/// The same without the quotes.
void append_json_characters(std::string &out, std::string_view text);

/// Makes of the text from `begin` on what stands between the quotes of a JSON string. The text must be UTF-8.
void escape_json_from(std::string &out, std::size_t begin);

/// The JSON text with U+FFFD in place of the one character that Postgres' jsonb cannot hold, U+0000.
std::string without_nul(std::string_view json);

/// Appends text percent-encoded as RFC 3986 section 2.3 says: only unreserved characters stay. Right in a path, a
/// query and a form alike; CR, LF and NUL can never get through.
void append_percent_encoded(std::string &out, std::string_view text);

} // namespace reverse_etl
