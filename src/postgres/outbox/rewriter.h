#pragma once

#include "engine/queue/row_pack.h"
#include "postgres/border/table_writer.h"
#include "postgres/outbox/table.h"

#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "access/htup.h"
}

namespace reverse_etl {

/// Stores anew what a pack of one of the outbox's tables held, once the pack has been deleted.
class PackRewriter {
  public:
    explicit PackRewriter(Oid table);

    /// `taken`: the numbers of rows, rising, that leave the pack; `keeps_taken`: they become rows of their own. The
    /// others become packs again, unless few have left: else a destination that takes rows one by one would have the
    /// pack written as often as it has rows. No pack reaches over a row that is not in it: rows are read in the order
    /// of their numbers.
    void store(HeapTuple pack, const std::vector<int64> &taken, bool keeps_taken);
    void finish();

  private:
    void store_rest_of(const std::vector<int64> &taken, bool keeps_taken);
    void put_rest();
    void put_row(int64 id);
    void put(int64 id, std::string_view key, std::string_view row, std::string_view pack);

    TableWriter table_;
    outbox::Columns columns_;
    Datum *values_ = nullptr; ///< of the pack's tuple
    bool *nulls_ = nullptr;
    // What is being stored:
    std::string_view pack_;
    int64 first_id_ = 0;
    std::string rest_; ///< distances of rows that are to be one pack
    PackedRows rows_;
    std::string row_, key_;
    std::vector<ValuePlace> places_;
};

} // namespace reverse_etl
