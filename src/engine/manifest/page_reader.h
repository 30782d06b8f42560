#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/page_spec.h"

namespace reverse_etl {

/// Reads "next", how a list goes on.
PageSpec read_next(const ManifestNode &node);

/// Whether {cursor} stands in the request of these members, or an option that has no value yet may bring it.
bool names_cursor(const ManifestNode &operation);

/// Reads "records" of an operation, and "none_when".
RecordsSpec read_records_spec(const ManifestNode &operation);

} // namespace reverse_etl
