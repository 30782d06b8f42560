#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl::sandbox {

// SELECT f1, f2 FROM Object [WHERE f = 'x' AND g IN ('y', 'z')] [ORDER BY ...] [LIMIT n]; COUNT() for the fields.
struct Soql {
    struct Condition {
        std::string field;
        bool negated = false;
        std::vector<std::string> values; // as plain text; "null" unquoted stands as an empty one
    };

    std::vector<std::string> fields;
    std::string object;
    std::vector<Condition> conditions; // all must hold
    std::size_t limit = static_cast<std::size_t>(-1);
};

// Throws std::invalid_argument with Salesforce's wording.
Soql parse_soql(std::string_view text);

} // namespace reverse_etl::sandbox
