#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

#include <string>

namespace reverse_etl {

/// Reads what holds for fields that the manifest does not list, and for those that say nothing of their own.
void read_values(const ManifestNode &manifest, Object &object);

/// Reads a member of "columns"; `read` is where a field's value stands, unless the column says so.
ColumnSpec read_column(const std::string &field, const ManifestNode &node, const std::string &read);

/// The name of a type that a column may have.
std::string read_type_name(const ManifestNode &node);

/// The pointer to a field's value, from the one that names "{field}".
std::string pointer_for(const std::string &read, const std::string &field);

} // namespace reverse_etl
