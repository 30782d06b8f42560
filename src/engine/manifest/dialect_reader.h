#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/statement_spec.h"

namespace reverse_etl {

/// Reads what SQL is to a source: the member "dialect" of a statement.
DialectSpec read_dialect(const ManifestNode &node);

/// Reads how the tables of a source are found: the member "catalog" of a statement.
SourceCatalogSpec read_source_catalog(const ManifestNode &node);

} // namespace reverse_etl
