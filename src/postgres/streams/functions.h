#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// reverse_etl_internal.read_mapping: what stream_table has to know of a mapping. Raises an error for one that would
/// not work.
Datum read_mapping(FunctionCallInfo call);

/// reverse_etl_internal.check_stream: raises the error that the next change of the source would raise.
Datum check_stream(FunctionCallInfo call);

} // namespace reverse_etl
