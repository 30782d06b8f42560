#pragma once

#include <optional>
#include <string>

namespace reverse_etl {

/// An option that a connector adds to those every server and table has.
struct OptionSpec {
    std::string name;
    bool on_server = false; ///< else on the table
    bool json = false;
    std::optional<std::string> fallback;
    std::string description;
};

} // namespace reverse_etl
