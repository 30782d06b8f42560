#pragma once

#include "engine/text/json.h"

#include <optional>
#include <string>

namespace reverse_etl {

/// The first difference between what was expected and what is there, in words that begin with its JSON pointer, which
/// `pointer` begins; nothing if both are the same. The order of members says nothing.
std::optional<std::string> json_difference(const Json &expected, const Json &found, const std::string &pointer);

/// A value in words, of a bounded length.
std::string shown_json(const Json &value);

} // namespace reverse_etl
