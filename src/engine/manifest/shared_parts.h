#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_filling.h"
#include "engine/manifest/manifest_node.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What all requests of a connector share once its options are filled in, those of objects and those of none.

std::optional<std::string> setting(const Settings &settings, const std::string &name);

/// Fails if a text that every request needs names an option that has no value.
void check_is_set(const UnsetOptions &unset);

/// What stands for the placeholders of options: their values, or what the manifest says where they are not set. Those
/// that have none are `unset`.
ManifestFilling filling_of(const std::vector<OptionSpec> &options, const Settings &settings, UnsetOptions &unset);

/// Adds what the manifest says for all operations to what one says for itself.
void add_shared(const ManifestNode &manifest, OperationSpec &spec);

} // namespace reverse_etl
