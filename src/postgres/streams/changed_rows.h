#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "access/tupdesc.h"
#include "commands/trigger.h"
#include "nodes/bitmapset.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// The rows that a trigger was fired for.
struct ChangedRows {
    Tuplestorestate *rows = nullptr;   ///< as they are; of a DELETE, as they were
    Tuplestorestate *before = nullptr; ///< of an UPDATE, as they were, if the trigger asked for them
    bool own = false;                  ///< copies, and not the statement's own
};

/// The rows of a statement or the row of a row-level trigger. Throws an Error for a trigger that does not ask for them.
ChangedRows changed_rows(TriggerData *trigger);

/// Leaves out of an UPDATE's rows those in which none of the columns `used` differ. Returns whether any of the columns
/// `deciding` differs in any row.
bool leave_out_unchanged(ChangedRows &changed, TupleDesc descriptor, const Bitmapset *used, const Bitmapset *deciding);

/// Gives back what copies take. Call inside pg_call.
void close(const ChangedRows &changed);

} // namespace reverse_etl
