#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Whether the operation is an upsert whose requests are those of other operations. Fails if it says more than that.
bool is_by_lookup(const ManifestNode &operation, OperationKind kind);

/// Reads by what an operation names its row: the key, the id, any of both; fields of a lookup's own; or that an upsert
/// is a lookup with what follows.
void read_by(const ManifestNode &node, OperationSpec &spec);

/// Fails where an upsert is to be a lookup with what follows, and the object lacks a part of that. `operations` are
/// those that the object has.
void check_upsert(const ManifestNode &object, const std::vector<OperationSpec> &operations,
                  const std::vector<std::string> &key, const std::string &id);

/// Whether both name the same fields, in whatever order.
bool are_same_fields(std::vector<std::string> some, std::vector<std::string> others);

} // namespace reverse_etl
