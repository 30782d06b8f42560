#pragma once

#include <nlohmann/json_fwd.hpp>

namespace reverse_etl {

/// JSON that keeps the order of members, since a manifest's columns and a body's members have one. For manifests,
/// options and small answers; no outgoing row and no answer of a batch passes through it. What uses its members
/// includes engine/text/json.h; this header spares the rest of the code a slow one.
using Json = nlohmann::ordered_json;

} // namespace reverse_etl
