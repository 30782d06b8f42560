#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/operation_spec.h"
#include "engine/text/json.h"

#include <functional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What `upper` says over what `lower` says, member by member.
Json overlay(const Json &lower, const Json &upper);

/// A member of an object; null where there is none.
const Json &member(const Json &object, const char *name);

/// Whether the object takes out what all objects have among its "operations" or "columns": there it says null.
bool takes_out(const Json &object, const char *part, const std::string &name);

/// Whether a field is among the columns that the object has, its own and those of all.
bool has_column(const Json &manifest, const Json &object, const std::string &field);

/// An operation as it is carried out: `shared` and `own` are what all objects and this one say of it, over the
/// defaults.
Json merged(const Json &defaults, const Json &shared, const Json &own);

/// The operations of an object as they are carried out: what the object says of each, over what all objects share,
/// over the defaults. Rules and limits of the defaults are added to those of the operation. A node is valid only during
/// its call.
void for_each_operation(const ManifestNode &manifest, const ManifestNode &object,
                        const std::function<void(const ManifestNode &, OperationKind)> &take);

/// Whether one of two forms of an operation has requests of its own and the other has not: then the upper one takes the
/// place of the lower as a whole.
bool is_another_form(const Json &lower, const Json &upper);

/// An operation as the manifest writes it; of a lookup there may be several.
std::vector<ManifestNode> lookups_in(const ManifestNode &operation, OperationKind kind);

/// Reads an operation that nothing is added to any more.
OperationSpec read_whole_operation(const ManifestNode &node, OperationKind kind);

} // namespace reverse_etl
