#pragma once

#include <cstdint>
#include <string>

namespace reverse_etl {

/// reverse_etl.resync: forgets what was accepted of rows, so that they are sent again; how many rows.
std::int64_t resync(const std::string &name, const std::string &condition);

/// reverse_etl.adopt: takes the rows that the destination has as accepted; how many. Those whose values differ there
/// are known from now on, and are sent by the next run.
std::int64_t adopt(const std::string &name);

} // namespace reverse_etl
