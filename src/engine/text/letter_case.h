#pragma once

#include <string>
#include <string_view>

namespace reverse_etl {

/// Appends UTF-8 text with each of its letters in lower or upper case, one letter for one, as Unicode says: the same
/// whatever locale or encoding a process or a database has. Throws SettingError where the system does not know Unicode.
void append_lower_letters(std::string &out, std::string_view text);
void append_upper_letters(std::string &out, std::string_view text);

/// The text without the blanks of ASCII around it.
std::string_view without_blanks(std::string_view text);

} // namespace reverse_etl
