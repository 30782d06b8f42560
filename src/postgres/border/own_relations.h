#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// The extension's two schemas: of what people call and read, and of what only the machine does.
constexpr const char *people_schema = "reverse_etl";
constexpr const char *internal_schema = "reverse_etl_internal";

/// The extension's relation of a name; invalid for none. Call inside pg_call.
Oid people_relation(const char *name);
Oid internal_relation(const char *name);

} // namespace reverse_etl
