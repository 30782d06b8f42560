#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/reason_spec.h"

namespace reverse_etl {

/// A pointer, several of them, or {"text": ...}, which may also stand last among them. `names`: the placeholders that
/// may stand in the text.
ReasonSpec read_reason(const ManifestNode &node, PlaceholderNames names = {});

} // namespace reverse_etl
