#pragma once

#include "engine/requests/words.h"
#include "engine/sources/result_page.h"
#include "postgres/border/postgres.h"
#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

extern "C" {
#include "executor/tuptable.h"
#include "fmgr.h"
}

namespace reverse_etl {

/// A place of a slot that a column of a result goes to.
struct CellTarget {
    std::string name; ///< for people
    int position = 0; ///< in the slot, from 0
    Oid type = InvalidOid;
    int32 typmod = -1;
};

/// Columns of a foreign table, each at its own place.
std::vector<CellTarget> cells_of(const Destination &destination, const std::vector<AttrNumber> &columns);

/// Puts rows of a page into slots, through the input functions of the columns' types.
class CellReader {
  public:
    /// `targets`: those of the result's columns, in its order. `table`: whose they are, for people. What is looked up
    /// is kept in the memory context.
    CellReader(std::string table, const std::vector<CellTarget> &targets, const Words &words, MemoryContext context);

    /// The row's values, in the current memory context. Throws an Error that names the column.
    void read(const ResultPage &page, std::size_t row, TupleTableSlot *slot);

  private:
    struct Column {
        CellTarget target;
        FmgrInfo input{};
        Oid io_parameter = InvalidOid;
        bool is_json = false;
        bool is_plain = false; ///< no domain, and of no precision
        std::string mended;    ///< of JSON with what jsonb cannot hold; "": the cell is right as it is
    };

    const std::string table_; ///< its name, for people
    const Words &words_;
    std::vector<Column> columns_;
};

} // namespace reverse_etl
