#pragma once

#include "engine/text/json_fwd.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace reverse_etl {

/// The comparisons of WHERE that an API may know.
enum class Comparison { equal, less, less_or_equal, greater, greater_or_equal, one_of };

inline constexpr std::pair<const char *, Comparison> comparison_names[] = {{"=", Comparison::equal},
                                                                           {"<", Comparison::less},
                                                                           {"<=", Comparison::less_or_equal},
                                                                           {">", Comparison::greater},
                                                                           {">=", Comparison::greater_or_equal},
                                                                           {"in", Comparison::one_of}};

/// The comparison as a manifest names it.
const char *comparison_name(Comparison comparison);

/// Where a list's request says a comparison: in a parameter, or in the body where it has {"$filters": "all"}.
struct FilterSpec {
    std::string parameter;               ///< its name; "" where the body says it
    bool is_repeated = false;            ///< of several values: the parameter once for each, else commas between them
    std::shared_ptr<const Json> element; ///< a template with {value}; nullptr where a parameter says it
};

/// By field.
using FilterSpecs = std::map<std::string, std::map<Comparison, FilterSpec>>;

} // namespace reverse_etl
