#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <functional>
#include <string>
#include <vector>

namespace reverse_etl {

/// Reads what a rule tries in reaction to an answer: {"try": "unarchive", "and": "again"}.
ReactionSpec read_reaction(const ManifestNode &node);

/// What the object has to be tried in reactions only, over the defaults, by name. A node is valid only during its call.
void for_each_reaction(const ManifestNode &manifest, const ManifestNode &object,
                       const std::function<void(const ManifestNode &, const std::string &)> &take);

/// Reads one of these, to which nothing is added any more. It is about one row, as an update is.
OperationSpec read_reaction_operation(const ManifestNode &node);

/// Fails where a rule of an operation tries what the object does not have, or what cannot work. `operations` are those
/// that the object has.
void check_reactions(const ManifestNode &manifest, const ManifestNode &object,
                     const std::vector<OperationSpec> &operations, const std::vector<std::string> &key,
                     const std::string &id);

} // namespace reverse_etl
