#pragma once

#include <string>

namespace reverse_etl {

/// SQL of a user, that is to stand within parentheses: without what ends a statement. Throws SettingError where there
/// are several: of the one that is left, whoever reads the table knows that it only reads.
std::string one_query(const std::string &sql);

} // namespace reverse_etl
