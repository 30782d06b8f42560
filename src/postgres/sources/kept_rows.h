#pragma once

#include "postgres/border/postgres.h"

#include <cstdint>

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// Rows that were read once, for those who read them again: in memory, and in a file beyond work_mem. All of it is in
/// the memory context's memory, and goes with that where a transaction is rolled back.
class KeptRows {
  public:
    KeptRows(TupleDesc descriptor, MemoryContext context);
    KeptRows(const KeptRows &) = delete;
    KeptRows &operator=(const KeptRows &) = delete;

    /// One who reads from the first row on.
    class Reader {
      public:
        void rewind() { row_ = 0; }

      private:
        friend KeptRows;
        int pointer_ = -1;        ///< of the tuplestore's; -1: none yet
        std::int64_t row_ = 0;    ///< that comes next
        std::int64_t passed_ = 0; ///< rows that the pointer has left behind
    };

    /// Adds the row in the slot, which the reader has seen then.
    void add(TupleTableSlot *slot, Reader &reader);
    /// The reader's next row into the slot's arrays; false where it has seen all that are kept.
    bool next(Reader &reader, TupleTableSlot *slot);
    /// Before it goes, unless the transaction is rolled back.
    void close();

  private:
    MemoryContext context_;
    Tuplestorestate *store_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
    std::int64_t rows_ = 0;
};

} // namespace reverse_etl
