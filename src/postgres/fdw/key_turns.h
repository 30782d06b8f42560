#pragma once

#include "postgres/destinations/column_encoders.h"
#include "postgres/destinations/push_plan.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// Counts the rows of each key, so that those of one key leave one after the other: the first of each may go together,
/// then the second of each.
class KeyTurns {
  public:
    /// The columns are those of the plan.
    KeyTurns(const Destination &destination, const PushPlan &plan,
             const std::vector<const DestinationColumn *> &columns);

    /// How many rows of its key came before this one; 0 for a row without a key. Call with the row set in `values`.
    std::size_t next(const ColumnEncoders &values, MemoryContext scratch);
    /// What came before has left.
    void start_over() { rows_.clear(); }

  private:
    struct KeyColumn {
        int position;
        KeyForm compare;
    };
    std::vector<KeyColumn> columns_;
    std::unordered_map<std::size_t, std::uint32_t> rows_; ///< by a hash of the key: two that share it only wait
    std::string json_, key_;
};

} // namespace reverse_etl
