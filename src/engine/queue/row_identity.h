#pragma once

#include "engine/manifest/key_form.h"
#include "engine/requests/json_row.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace reverse_etl {

/// How the columns of a destination are compared, by name; those that are not in it are compared as they are.
using KeyForms = std::map<std::string, KeyForm, std::less<>>;

/// Writes what tells a row of the outbox from others of its destination: its key, as the destination compares it,
/// whatever the spelling and the order of its columns. The row was read with its key; "" if it has none.
void write_identity(const JsonRow &row, const KeyForms &forms, std::string &identity);

/// The identity's hash, of this process.
std::uint64_t hash_of(const std::string &identity);

} // namespace reverse_etl
