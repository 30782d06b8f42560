#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl::sandbox {

// Salesforce record ids: a prefix for the object, a number in base 62, and three letters that tell capitals apart.
std::string salesforce_id(std::string_view object, std::size_t position);
std::optional<std::size_t> salesforce_position(std::string_view object, std::string_view id); // 15 or 18 characters
std::string salesforce_object(std::string_view id); // by the prefix; empty when unknown

} // namespace reverse_etl::sandbox
