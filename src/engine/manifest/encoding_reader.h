#pragma once

#include "engine/manifest/manifest_node.h"
#include "engine/manifest/value_encoding.h"

#include <string>

namespace reverse_etl {

/// Reads "encode": a form, or steps.
ValueEncoding read_encoding(const ManifestNode &node);

/// Reads steps, a word or a list of them.
TextSteps read_steps(const ManifestNode &node);

/// The encoding that an option names: a word, several with commas between them, or what a manifest would say, as JSON.
/// Throws ManifestError, whose words say what is wrong.
ValueEncoding encoding_of_option(const std::string &text);

} // namespace reverse_etl
