#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/statement_spec.h"

namespace reverse_etl {

/// Reads what the columns of a source are in Postgres: [{"when": ..., "type": ..., "cell": ...}, ...]. The last rule
/// has no "when".
SourceTypeRules read_source_types(const ManifestNode &node);

/// The name of a type that a column of a source may have.
std::string read_source_type_name(const ManifestNode &node);

} // namespace reverse_etl
