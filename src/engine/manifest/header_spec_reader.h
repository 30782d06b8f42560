#pragma once

#include "engine/manifest/header_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// {"header": ..., "unit": ...}
TimeHeader read_time_header(const ManifestNode &node);

/// The member of that name, {"header": ..., "after": ...}; no header if there is none.
NumberHeader read_number_header(const ManifestNode &node, const char *member);

} // namespace reverse_etl
