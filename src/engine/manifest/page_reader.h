#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/page_spec.h"

namespace reverse_etl {

/// Reads "next", how a list goes on.
PageSpec read_next(const ManifestNode &node);

/// Reads "records" of an operation, and "none_when".
RecordsSpec read_records_spec(const ManifestNode &operation);

} // namespace reverse_etl
