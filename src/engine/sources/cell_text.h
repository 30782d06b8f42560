#pragma once

#include "engine/manifest/statement_spec.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// Appends a cell's value as the input functions of Postgres take it: dates and times in ISO 8601, before the year 1
/// with "BC"; bytes as "\x..."; U+0000, which no text of Postgres can hold, as U+FFFD. What is not written as its form
/// says stays as it is, for the type's input function to judge. Never fails.
void append_cell(std::string &out, CellForm form, std::string_view value);

} // namespace reverse_etl
