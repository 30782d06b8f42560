#pragma once

#include "engine/files/file_sample.h"
#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// The columns of the files of a server that a table with these options would have, asked for with the role's
/// credentials. Throws an Error where there are none.
std::vector<SampledColumn> sample_of_server(Oid server, Oid role, const Settings &options_of_table);

} // namespace reverse_etl
