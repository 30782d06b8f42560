#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/text/headers.h"

#include <string>

namespace reverse_etl {

/// The headers that a manifest adds to requests. Fails where one has no name of a header, says how the message is
/// framed, would end early, or stands twice. Those in which {request.id} or {entry.id} stands are added to `with_ids`
/// as they are written.
Headers read_headers(const ManifestNode &node, Headers &with_ids);

/// Fails unless the name is one that a request may carry; `node` is what gives it.
void check_header_name(const ManifestNode &node, const std::string &name);

} // namespace reverse_etl
