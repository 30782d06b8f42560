#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "access/heapam.h"
#include "executor/executor.h"
#include "utils/tuplesort.h"
}

namespace reverse_etl {

/// Appends rows to a table of the extension in this transaction, many at a time. It asks nobody's rights, fires no
/// trigger and checks nothing but unique indexes. All calls, the constructor too, belong inside pg_call.
class TableWriter {
  public:
    /// When the rows come into the indexes: with each of them; or all at once at the end, in the order of the index,
    /// which then finds its pages where it has just been. Only plain indexes can be written at the end.
    enum class Indexes { at_once, at_end };

    TableWriter(Oid table, MemoryContext context, Indexes indexes = Indexes::at_once);

    /// The next row, all of it NULL. Until end_row() the current memory context is the one for its values, which live
    /// until they are written.
    TupleTableSlot *begin_row();
    void end_row(std::size_t bytes);

    Relation relation() const { return table_; }

    /// Whether all rows are written: the next one will be the first that is kept back.
    bool is_empty() const { return count_ == 0; }
    /// Its place among those that are kept back: of the row that begin_row() returned, or will return.
    int count() const { return count_; }
    static constexpr int most_rows = 1000; ///< that are kept back

    /// Writes what is kept back and closes the table. Without it, after an error, Postgres gives all back itself.
    void finish();

  private:
    void flush();
    void insert_into_indexes(TupleTableSlot *slot);
    void insert_sorted();

    Relation table_;
    MemoryContext context_, rows_context_, caller_ = nullptr;
    TupleTableSlot **slots_;
    int slot_count_ = 0, room_ = 16; ///< of slots_: a statement of one row needs one
    EState *estate_;
    ResultRelInfo *result_;
    Tuplesortstate **entries_ = nullptr; ///< for each index; nullptr: none are kept for the end
    int count_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace reverse_etl
