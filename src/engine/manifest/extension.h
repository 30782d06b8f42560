#pragma once

#include "engine/manifest/manifest_filling.h"
#include "engine/text/json_fwd.h"

#include <functional>
#include <optional>
#include <string>

namespace reverse_etl {

/// The text of a connector's manifest; nothing if there is no such connector.
using ManifestOf = std::function<std::optional<std::string>(const std::string &name)>;

/// A manifest with all that it has from the one that it extends, which may extend another. One that extends none stays
/// as it is. Throws ManifestError, and what `pause` and `of` throw.
Json extended(Json manifest, const ManifestOf &of, Pause pause);

} // namespace reverse_etl
