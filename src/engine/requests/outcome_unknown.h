#pragma once

namespace reverse_etl {

/// How the reason of a row begins that the destination may have taken without saying so. A create is not sent again.
constexpr const char *outcome_unknown = "outcome unknown, the destination may have the row";

} // namespace reverse_etl
