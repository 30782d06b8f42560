#pragma once

#include "postgres/destinations/push_plan.h"

extern "C" {
#include "nodes/pg_list.h"
#include "utils/reltrigger.h"
}

namespace reverse_etl {

/// What an INSERT or a COPY sends: the columns it names (nullptr: any), and those that have defaults.
PushPlan plan_insert(const Destination &destination, const Bitmapset *named, const TupleDescData *attributes,
                     const TriggerDesc *triggers);

/// The name under which a column that names the row travels to the executor. Call inside pg_call.
const char *address_name(AttrNumber attnum);

/// A plan as Postgres can copy and keep it. Call inside pg_call.
List *to_list(const PushPlan &plan);
PushPlan push_plan_of(const List *list);

} // namespace reverse_etl
