#pragma once

namespace reverse_etl {

/// How the reason of a row begins that may have been created, and is not sent again.
constexpr const char *outcome_unknown = "outcome unknown, the destination may have the row";

} // namespace reverse_etl
