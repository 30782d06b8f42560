#pragma once

#include "postgres/postgres.h"

extern "C" {
#include "nodes/nodes.h"
}

namespace reverse_etl {

/// Rows leave in bursts, and the last burst is not full: these hooks deliver it while the statement's row count can
/// still be told, after the executor's run and after COPY.
void install_statement_hooks();

/// The DDL command that runs now; nullptr if there is none, or if it began before the hooks were installed.
Node *running_utility();

/// Whether the library was loaded by the statement that runs now: then the hooks were not there when it began.
bool loaded_by_this_statement();

/// Where rows accepted for a COPY are counted: its own count is out of a foreign table's reach. nullptr if the COPY
/// began before the hooks were installed.
uint64 *copy_counter();

} // namespace reverse_etl
