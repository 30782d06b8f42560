#pragma once

#include "engine/manifest/body_format.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// Appends a value as RFC 4180 has it: in quotation marks where it holds what would end it, and where without them it
/// would be what stands for NULL.
void append_csv_cell(std::string &out, std::string_view value, const CsvFormat &csv);

} // namespace reverse_etl
