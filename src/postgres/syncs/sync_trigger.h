#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// The triggers that reverse_etl.stream_sync makes: rows whose keys a statement touched are compared with the state of
/// the sync, as a run would, and what differs is queued in the statement's transaction.
Datum push_sync(FunctionCallInfo call);

} // namespace reverse_etl
