#pragma once

#include "postgres/border/postgres.h"

#include <optional>

extern "C" {
#include "datatype/timestamp.h"
}

namespace reverse_etl {

/// The one value of such a setting that is no time.
constexpr const char *forever = "forever";

/// A time that something is kept, as Postgres reads an interval: "90 days". Nothing if it is not one, or not greater
/// than zero. Raises nothing, so that a setting can be checked by it.
std::optional<Interval> time_span(const char *text);

} // namespace reverse_etl
