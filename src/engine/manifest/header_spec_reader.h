#pragma once

#include "engine/manifest/header_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// {"header": ..., "unit": ...} or {"body": ..., "unit": ...}
ToldTime read_told_time(const ManifestNode &node);

/// How long to wait: the same, or {"seconds": ...}
ToldTime read_wait(const ManifestNode &node);

/// The member of that name, {"header": ..., "after": ...} or {"body": ...}; nothing if there is none.
ToldNumber read_told_number(const ManifestNode &node, const char *member);

} // namespace reverse_etl
