#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "executor/tuptable.h"
}

namespace reverse_etl {

class SourceAccess;

/// A scan of a foreign table: ForeignScanState::fdw_state.
class TableScan {
  public:
    virtual ~TableScan() = default;
    /// Puts the next row into the slot, or empties it.
    virtual void next(TupleTableSlot *slot) = 0;
    /// Begins anew, with the parameters that the query gives now. `has_new_parameters`: they may be others.
    virtual void restart(bool has_new_parameters) = 0;
    /// No more rows are wanted.
    virtual void end() {}
    /// What else the table's source may be asked for; nullptr where it is none that runs SQL.
    virtual SourceAccess *source() { return nullptr; }
};

} // namespace reverse_etl
