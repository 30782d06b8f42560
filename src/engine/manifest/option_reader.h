#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// The options that a connector adds to those that every server and table has.
std::vector<OptionSpec> read_options(const ManifestNode &manifest);

/// Fails where a URL of the manifest is not one, or where a placeholder would choose the host by a value that may be
/// anything.
void check_url(const ManifestNode &node, const std::vector<OptionSpec> &options);

/// The JSON that an option's text stands for where it is all there is of a string. Throws SettingError.
Json json_of_option(const OptionSpec &option, const std::string &value);

} // namespace reverse_etl
