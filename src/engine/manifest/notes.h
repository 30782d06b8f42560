#pragma once

#include "engine/text/json.h"

namespace reverse_etl {

/// Removes "$note" wherever it stands: that is how a note is written where the members are names of somebody's own
/// choice (columns, headers, a body). Elsewhere "note" is a member that means nothing.
void remove_notes(Json &value);

} // namespace reverse_etl
