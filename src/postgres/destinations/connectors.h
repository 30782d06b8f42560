#pragma once

#include "engine/manifest/connector.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Reads a manifest, and can be cancelled. Throws ManifestError.
Connector parse_connector(std::string_view manifest);

/// The connector of that name: one that came with the extension, from its file, or one that
/// reverse_etl.create_connector made, from its table. Parsed once per session and manifest. Throws an Error with the
/// names there are.
std::shared_ptr<const Connector> find_connector(const std::string &name);

/// Every connector, for option lists.
std::vector<std::shared_ptr<const Connector>> all_connectors();

/// The names of the connectors that came with the extension, and their manifests' texts.
std::vector<std::string> built_in_connector_names();
std::string built_in_manifest(const std::string &name);

} // namespace reverse_etl
