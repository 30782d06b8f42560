#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/nodes.h"
}

namespace reverse_etl {

/// Rows leave in bursts, and the last burst is not full: these hooks deliver it while the statement's row count can
/// still be told, after the executor's run and after COPY. They also know what runs within what.
void install_statement_hooks();

/// The DDL command that runs now; nullptr if there is none, or where nobody knows: a function runs it, and before it
/// the session had no need of this library.
Node *running_utility();

/// Whether the library was loaded by the statement that runs now: then the hooks were not there when it began.
bool loaded_by_this_statement();

/// Whether the query is what the client sent, or what its EXECUTE runs, or its COPY: not what a function, a trigger,
/// EXPLAIN or any other command runs. What follows it there can still fail and take it back.
bool is_own_statement(const EState *estate);

/// Where rows accepted for a COPY are counted: its own count is out of a foreign table's reach. nullptr if the COPY
/// began before the hooks were installed.
uint64 *copy_counter();

} // namespace reverse_etl
