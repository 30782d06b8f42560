#pragma once

#include "engine/catalog/truth.h"
#include "engine/manifest/connector.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Reads a manifest, and can be cancelled. Throws ManifestError.
Connector parse_connector(std::string_view manifest);

/// The connector of that name: one that came with the extension, from its file, or one that
/// reverse_etl.create_connector made, from its table. Parsed once per session and manifest. Throws an Error with the
/// names that are nearest.
std::shared_ptr<const Connector> find_connector(const std::string &name);

/// Every connector, for option lists.
std::vector<std::shared_ptr<const Connector>> all_connectors();

/// The names of those that came with the extension.
const std::vector<std::string> &built_in_connector_names();

/// The names of all: those that came with the extension, then the others.
std::vector<std::string> connector_names();

/// The manifest's text: as it was written, or, where it extends another, with what it has from that.
std::string manifest_of(const std::string &name);

/// What tests have found out about a connector that came with the extension; nothing of one that did not.
std::optional<Truth> truth_of(const std::string &name);

} // namespace reverse_etl
