#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl_internal.parse_running_command: what the event triggers have to know of the command that fires them, and
/// the server does not tell in SQL.
Datum running_command(FunctionCallInfo call);

} // namespace reverse_etl
