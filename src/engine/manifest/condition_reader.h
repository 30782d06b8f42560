#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// {POINTER: what is asked of the value there, ...}
Condition read_condition(const ManifestNode &node);

/// How a text has to look.
std::shared_ptr<const TextPattern> read_pattern(const ManifestNode &node);

} // namespace reverse_etl
