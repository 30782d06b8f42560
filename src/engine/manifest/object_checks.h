#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Fails where the objects' names would be one table's.
void check_object_names(const ManifestNode &objects);

/// Fails where an object's id, key or INSERT names what is not there. `manifest` is what all objects share.
void check_names_of_object(const ManifestNode &manifest, const ManifestNode &object);

/// Fails where the columns of an object cannot be those of a table: too many of them, or two of one name.
void check_columns_of_object(const ManifestNode &manifest, const ManifestNode &object);

/// Fails where an operation has a member that means nothing to its kind.
void check_members_fit(const ManifestNode &operation, OperationKind kind);

/// Fails where a body places the columns of a part that none of the object's columns has.
void check_parts_are_known(const ManifestNode &manifest, const ManifestNode &object, const ManifestNode &operation);

/// Fails where a body could not hold the secrets that "auth" puts into it when it is sent.
void check_secrets_fit(const ManifestNode &manifest, const ManifestNode &operation);

/// Fails where a request, whole, names what nothing stands for in its kind: a list has no rows, and only it has pages.
/// Fails unless the operation has a request, or a job in its place.
void check_has_request(const ManifestNode &operation);
void check_placeholders_fit(const ManifestNode &operation, OperationKind kind);

} // namespace reverse_etl
