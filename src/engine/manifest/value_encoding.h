#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// How a column's values are written, where the column's type alone does not say it.
enum class ValueEncoding {
    native,            ///< as the Postgres type suggests: numbers as numbers, json as it is, arrays as arrays
    string,            ///< always a JSON string
    epoch_s,           ///< date and time types: seconds since 1970-01-01 UTC, an integer
    epoch_ms,          ///< date and time types: milliseconds since 1970-01-01 UTC, an integer
    semicolon_list,    ///< arrays: their elements joined by ';' in one string
    sha256,            ///< lower-case hex SHA-256 of the text
    trim_lower_sha256, ///< the same of the trimmed, lower-cased text, as ad platforms match people
};

/// The encoding of that name in a manifest or an option, steps with commas between them; nothing if there is none.
std::optional<ValueEncoding> value_encoding(std::string_view name);
/// All names, quoted, for messages.
std::string value_encoding_names();

} // namespace reverse_etl
