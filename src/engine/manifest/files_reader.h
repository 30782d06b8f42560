#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Adds the options that tables have of a connector with files.
void add_files_options(const ManifestNode &manifest, std::vector<OptionSpec> &options);

/// Reads the member "files" of a manifest. Rules for answers, limits and reasons of the manifest itself are not yet in
/// its requests.
FilesSpec read_files(const ManifestNode &node);

/// The request with these values in the places of {files.NAME}; a parameter or header that is one alone is left out
/// where that is empty. Throws SettingError where a value cannot stand.
OperationSpec files_request(const RequestTemplate &request, const RequestValues &values);

} // namespace reverse_etl
