#pragma once

#include <string>

namespace reverse_etl {

/// The condition in parentheses, as it may stand in a statement; in the server's encoding. An error if it is anything
/// but one expression, as the parser itself reads it: nothing that it holds can end the parentheses.
std::string one_condition(const std::string &condition);

} // namespace reverse_etl
