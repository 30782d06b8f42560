#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl_internal.requeue: queues rows as reverse_etl.rejected_rows holds them, for a role. How many they were.
int64 requeue(FunctionCallInfo call);

} // namespace reverse_etl
