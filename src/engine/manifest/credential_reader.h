#pragma once

#include "engine/manifest/connector.h"
#include "engine/manifest/manifest_node.h"

#include <vector>

namespace reverse_etl {

/// Reads "credentials", what a user mapping may hold.
std::vector<CredentialSpec> read_credentials(const ManifestNode &manifest, const std::vector<OptionSpec> &options);

/// Fails where "auth" names a credential that is not declared, or none names one that is.
void check_credentials_are_used(const ManifestNode &manifest, const std::vector<OptionSpec> &options,
                                const std::vector<CredentialSpec> &credentials);

} // namespace reverse_etl
