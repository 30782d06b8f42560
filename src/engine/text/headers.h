#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

/// Headers of a request or an answer: names and values, in order.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// RFC 9110 section 5.6.2: what names of headers and methods are made of.
bool is_token(std::string_view text);

/// Whether the value would end the header early.
bool breaks_a_header(std::string_view value);

/// Whether the header, of any spelling, says how a message is framed, packed or passed on: that is for who writes it.
bool frames_a_message(std::string_view name);

/// Gives the header this value: in place of what it had, however its name was spelled there.
void set_header(Headers &headers, std::string_view name, std::string_view value);

bool has_header(const Headers &headers, std::string_view name);

} // namespace reverse_etl
