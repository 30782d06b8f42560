#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// An XML document (https://www.w3.org/TR/xml/) as JSON, for answers in which names and texts are all that counts:
/// what the root holds becomes an object, an element with elements in it an object, and any other a string. Elements of
/// one name beside each other become an array; a single one does not. Names lose their prefixes; attributes, comments
/// and texts beside elements are left out. The text must be UTF-8. Throws std::runtime_error for what is no such
/// document, for one with a DOCTYPE, and for one that lies deeper than 64 elements.
std::string json_of_xml(std::string_view text);

} // namespace reverse_etl
