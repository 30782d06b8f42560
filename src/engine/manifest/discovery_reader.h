#pragma once

#include "engine/manifest/discovery_spec.h"
#include "engine/manifest/manifest_node.h"

#include <memory>

namespace reverse_etl {

/// Reads what finds the objects of an account.
ObjectDiscovery read_object_discovery(const ManifestNode &node);

/// Reads what finds the fields of an object: what the object says, over what the manifest says. nullptr for nothing.
std::shared_ptr<const FieldDiscovery> read_field_discovery(const ManifestNode &manifest, const ManifestNode &object);

/// Fails where the manifest's "discover", or an object's, is wrong.
void check_discovery(const ManifestNode &manifest);

} // namespace reverse_etl
