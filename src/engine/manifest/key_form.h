#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// How a destination compares the values of a field by which it knows its rows.
struct KeyForm {
    bool case_insensitive = false;
    bool trimmed = false;

    bool is_exact() const { return !case_insensitive && !trimmed; }
    bool operator==(const KeyForm &) const = default;
};

/// The words "exact", "case_insensitive" and "trimmed", with commas where there are several; nothing if there are
/// others.
std::optional<KeyForm> key_form(std::string_view words);

/// Appends the one form that all spellings of a value have in common which the destination takes for the same. The text
/// is UTF-8; what is not is kept as it is.
void append_in_form(KeyForm form, std::string_view text, std::string &out);
std::string in_form(KeyForm form, std::string_view text);

/// Reads a key in JSON, value by value: texts are brought into the form, and numbers lose what says nothing of their
/// value, as the zeros of 1.00.
void append_json_in_form(KeyForm form, std::string_view json, std::string_view text, std::string &out);

} // namespace reverse_etl
