#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl.push(destination, mapping): the trigger function for triggers that people write by hand. It runs as
/// whoever fires it.
Datum push_changes(FunctionCallInfo call);

/// reverse_etl_internal.push_stream(name): the trigger function of the triggers that stream_table makes. It runs as the
/// stream's owner.
Datum push_stream(FunctionCallInfo call);

} // namespace reverse_etl
