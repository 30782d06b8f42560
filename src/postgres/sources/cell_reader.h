#pragma once

#include "engine/requests/words.h"
#include "engine/sources/result_page.h"
#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

extern "C" {
#include "executor/tuptable.h"
#include "fmgr.h"
}

namespace reverse_etl {

/// Puts rows of a page into slots, through the input functions of the columns' types.
class CellReader {
  public:
    /// `columns`: those of the table that the first columns of the result are, in its order; their attnum is the place
    /// in the slot. They and the words must stay. What is looked up is kept in the memory context.
    CellReader(std::string table, const std::vector<const DestinationColumn *> &columns, const Words &words,
               MemoryContext context);

    /// The row's values, in the current memory context. Throws an Error that names the column.
    void read(const ResultPage &page, std::size_t row, TupleTableSlot *slot);

  private:
    struct Column {
        const DestinationColumn *column;
        FmgrInfo input;
        Oid io_parameter = InvalidOid;
        bool is_json = false;
        std::string mended; ///< of JSON with what jsonb cannot hold; "": the cell is right as it is
    };

    const std::string table_; ///< its name, for people
    const Words &words_;
    std::vector<Column> columns_;
};

/// The columns of a table by their numbers.
std::vector<const DestinationColumn *> columns_of(const Destination &table, const std::vector<AttrNumber> &numbers);

} // namespace reverse_etl
