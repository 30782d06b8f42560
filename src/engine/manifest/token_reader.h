#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// The kinds of auth whose requests carry a token that is fetched or made: what is read is added to `auth`.
void read_oauth2(const ManifestNode &node, AuthSpec &auth);
void read_login(const ManifestNode &node, AuthSpec &auth);
void read_jwt(const ManifestNode &node, AuthSpec &auth);

} // namespace reverse_etl
