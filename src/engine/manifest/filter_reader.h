#pragma once

#include "engine/manifest/filter_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Reads "filter" of a list: what WHERE says and the API can.
FilterSpecs read_filters(const ManifestNode &node);

} // namespace reverse_etl
