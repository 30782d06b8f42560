#pragma once

#include "engine/manifest/body_format.h"
#include "engine/manifest/manifest_node.h"

namespace reverse_etl {

/// Reads "format": a word, or an object whose "kind" is one. What else stands in `format` stays.
void read_format(const ManifestNode &node, BodyFormat &format);

/// The same for the file of a form of several parts.
void read_file_format(const ManifestNode &node, BodyFormat &format);

/// Characters, and what is written for them. Fails where one is no ASCII character.
Escapes read_escapes(const ManifestNode &node);

} // namespace reverse_etl
