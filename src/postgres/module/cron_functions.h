#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl.next_run_after and reverse_etl.last_run_before: when pg_cron runs a job of that schedule.
Datum next_run_after(FunctionCallInfo call);
Datum last_run_before(FunctionCallInfo call);

} // namespace reverse_etl
