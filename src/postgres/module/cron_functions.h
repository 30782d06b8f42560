#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl.next_run_after and reverse_etl.last_run_before: when pg_cron runs a job of that schedule.
Datum next_run_after(FunctionCallInfo call);
Datum last_run_before(FunctionCallInfo call);

/// reverse_etl_internal.run_times: both for now. A schedule that is none is never due; it raises nothing.
Datum run_times(FunctionCallInfo call);

} // namespace reverse_etl
