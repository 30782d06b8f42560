#pragma once

#include <optional>
#include <string>

namespace reverse_etl {

/// Where an answer tells a number: in a header, or in its body.
struct ToldNumber {
    std::string name;  ///< of the header, in lower case; "" for none
    std::string after; ///< the text that the number stands behind; "": it begins the header
    std::optional<std::string> body = std::nullopt; ///< pointer
};

/// Where an answer tells how long to wait, or until when; or how long that always is.
struct ToldTime {
    enum class Unit { seconds, milliseconds, epoch_seconds, http_date, iso8601 };
    std::string name; ///< of the header, in lower case; "" for none
    Unit unit = Unit::seconds;
    std::optional<std::string> body = std::nullopt; ///< pointer
    int always = 0;                                 ///< seconds, whatever the answer says; 0 for none
};

} // namespace reverse_etl
