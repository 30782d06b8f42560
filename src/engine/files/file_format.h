#pragma once

#include "engine/manifest/files_spec.h"

#include <string>

namespace reverse_etl {

/// How a file of that name is written: as the table says, or as the name ends, apart from ".gz". Throws
/// DestinationError with the address where neither says it.
FilesFormat format_of_file(const FilesFormat &of_table, const std::string &name, const std::string &address);

/// The pointer to a field of a record: a name, or what is a pointer already.
std::string pointer_to_member(const std::string &field);

} // namespace reverse_etl
