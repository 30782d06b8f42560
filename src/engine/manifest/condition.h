#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace reverse_etl {

/// JSON pointers; the first that is there counts.
using Pointers = std::vector<std::string>;

/// A JSON value that is neither an object nor an array.
using Scalar = std::variant<std::nullptr_t, bool, double, std::string>;

/// For every pointer one of the values must stand there.
using Condition = std::vector<std::pair<std::string, std::vector<Scalar>>>;

} // namespace reverse_etl
