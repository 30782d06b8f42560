#pragma once

#include "engine/text/text_pattern.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reverse_etl {

/// JSON pointers; the first that is there counts.
using Pointers = std::vector<std::string>;

/// A JSON value that is neither an object nor an array.
using Scalar = std::variant<std::nullptr_t, bool, double, std::string>;

/// What is asked of a value: all that is said here.
struct Demand {
    std::vector<Scalar> in;                     ///< it is one of these; empty: nothing is asked
    std::optional<bool> exists;                 ///< whether something other than null stands there
    std::optional<bool> empty;                  ///< a text, array or object: whether nothing is in it
    std::optional<double> below;                ///< a number that is smaller
    std::shared_ptr<const TextPattern> matches; ///< a text or a number that looks so
    std::vector<Demand> none;                   ///< what must not hold
};

/// What is asked of the value at a JSON pointer.
struct Requirement {
    std::string pointer;
    Demand demand;
};

/// All of them must hold.
using Condition = std::vector<Requirement>;

} // namespace reverse_etl
