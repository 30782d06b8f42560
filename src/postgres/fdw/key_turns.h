#pragma once

#include "postgres/destinations/column_encoders.h"
#include "postgres/destinations/push_plan.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Counts the rows of each key, so that those of one key leave one after the other: the first of each may go together,
/// then the second of each. It is asked for every row of every INSERT, so keys of the usual types are not written out.
class KeyTurns {
  public:
    /// The columns are those of the plan.
    KeyTurns(const Destination &destination, const PushPlan &plan,
             const std::vector<const DestinationColumn *> &columns);

    /// Looks for the key of the row that is set in `values`. What it finds is far away in memory, and comes nearer
    /// while the caller does something else. Throws ValueRefused.
    void seek(const ColumnEncoders &values, MemoryContext scratch);
    /// How many rows of the key that was looked for came before this one; 0 for a row without a key.
    std::size_t next();
    /// What came before has left.
    void start_over();

  private:
    struct KeyColumn {
        int position;
        KeyForm compare;
        enum class Kind { int2, int4, int8, text, other } kind;
    };
    /// The rows of a key in the low bits, 0 for a free place, and above them the beginning of the key's hash: two keys
    /// that share it only wait. Small, since nearly every row finds its place for the first time.
    using Count = std::uint64_t;

    static KeyColumn key_column(int position, const DestinationColumn &column);
    std::size_t hash_of(const KeyColumn &column, const ColumnEncoders &values, MemoryContext scratch);
    std::string_view text_of(Datum value, MemoryContext scratch);
    void write(const KeyColumn &column, const ColumnEncoders &values, MemoryContext scratch);
    void grow();

    std::vector<KeyColumn> columns_;
    std::vector<Count> counts_; ///< at the place that the first bits of the hash say, or behind it
    int shift_ = 64;            ///< of a hash, to its place
    std::size_t counted_ = 0;
    std::size_t sought_ = 0; ///< the hash of the key
    bool has_key_ = false;
    std::string json_, key_, detoasted_;
};

} // namespace reverse_etl
