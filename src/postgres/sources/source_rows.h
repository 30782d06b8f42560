#pragma once

#include "postgres/sources/cell_reader.h"
#include "postgres/sources/kept_rows.h"
#include "postgres/sources/source_plan.h"
#include "postgres/sources/source_result.h"

#include <memory>

namespace reverse_etl {

/// The rows that a statement at a source gives, from its submission on. Where they are kept, several scans of one query
/// may read them, each from the first on: they own it in common.
class SourceRows {
  public:
    /// Nothing is sent before the first row is asked for. `descriptor`: of the scan's row. `keeps`: rows are kept.
    SourceRows(const Destination &destination, const SourcePlan &plan, Oid user, SqlText sql, TupleDesc descriptor,
               MemoryContext context, bool keeps);
    SourceRows(const SourceRows &) = delete;
    SourceRows &operator=(const SourceRows &) = delete;

    using Reader = KeptRows::Reader;

    /// The reader's next row into the slot's arrays; false behind the last.
    bool next(Reader &reader, TupleTableSlot *slot);
    bool are_kept() const { return kept_ != nullptr; }
    const SqlText &sql() const { return result_.sql(); }
    /// No more of them is wanted. Not where the transaction is rolled back: then what there is goes with its memory,
    /// and the statement ends as this does.
    void close();

  private:
    bool read(TupleTableSlot *slot);

    SourceCaller caller_;
    SourceResult result_;
    const int attributes_; ///< of the scan's row
    CellReader cells_;
    std::unique_ptr<KeptRows> kept_;
};

} // namespace reverse_etl
