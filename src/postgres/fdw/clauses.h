#pragma once

#include "postgres/destinations/destination.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// What the planner is asked about the clauses of WHERE. Call inside pg_call.

/// Whether the expression is the column, perhaps under another name of its type.
bool is_column(Node *node, const RelOptInfo *relation, const DestinationColumn &column);

/// Whether the value does not depend on the relation's rows, and stays as it is.
bool is_known_before(PlannerInfo *root, const RelOptInfo *relation, Node *value);

/// The value as one of the column's type; nullptr if it might not be the same then. What is cast without being asked
/// for, whatever the settings, loses nothing.
Node *implicitly_cast(Node *value, Oid column_type);

} // namespace reverse_etl
