#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/result_spec.h"

#include <vector>

namespace reverse_etl {

/// What the entries of a result mean: its "entries", or what "is", "accepted_when", "wait_when" and "absent_when" are
/// short for. `names`: the placeholders that may stand in a reason.
std::vector<EntryRule> read_entry_rules(const ManifestNode &result, PlaceholderNames names);

} // namespace reverse_etl
