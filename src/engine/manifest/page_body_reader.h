#pragma once

#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Checks the body of a list: it speaks of pages, and of no rows.
void check_page_body(const ManifestNode &node);

/// The body of a look-up, in which "{keys}" is the array of the rows' keys.
Json with_keys_as_rows(const Json &body);

} // namespace reverse_etl
