#pragma once

#include <string>

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// reverse_etl.plan_sync: what a run would do now. A total for each operation goes into the result, then rows, as many
/// as asked for. With `look_up` the destination is asked for the values that it has; nothing is changed.
void plan_sync(const std::string &name, int max_rows, bool look_up, ReturnSetInfo *result);

} // namespace reverse_etl
