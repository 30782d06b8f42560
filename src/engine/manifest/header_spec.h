#pragma once

#include <string>

namespace reverse_etl {

/// A header that tells a number.
struct NumberHeader {
    std::string name;  ///< in lower case; "" for none
    std::string after; ///< the text that the number stands behind; "": it begins the header
};

/// A header that tells a time to wait.
struct TimeHeader {
    enum class Unit { seconds, milliseconds, epoch_seconds };
    std::string name; ///< in lower case; "" for none
    Unit unit = Unit::seconds;
};

} // namespace reverse_etl
