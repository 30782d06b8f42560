#pragma once

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// An option that a connector adds to those every server and table has.
struct OptionSpec {
    enum class Type {
        text,    ///< stands for itself, whatever it holds
        integer, ///< a number where it is all there is of a string
        boolean, ///< likewise true or false
        json,    ///< a part of the manifest
        path,    ///< a part of a request's path and query, with placeholders
        host,    ///< a host, perhaps with a port
        label,   ///< one label of a host's name
        url,     ///< a URL to which paths are appended
        query,   ///< one query in a source's own SQL, of several lines perhaps: the engine's, no manifest's
    } type = Type::text;
    std::string name;
    bool on_server = false; ///< else on the table
    bool required = false;
    std::vector<std::string> one_of; ///< empty: not only these
    std::string pattern;             ///< "" for any
    std::optional<std::string> fallback;
    std::string example; ///< a value that the manifest is checked with; "" for none
    std::string description;
};

} // namespace reverse_etl
