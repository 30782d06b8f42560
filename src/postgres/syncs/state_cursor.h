#pragma once

#include "postgres/border/postgres.h"

extern "C" {
#include "executor/tuptable.h"
#include "storage/block.h"
#include "storage/itemptr.h"
}

namespace reverse_etl {

/// Goes through the state of a sync beside its model. The state was written in the order in which the model came, so
/// the next row of the one is mostly the next of the other, and no key has to be looked for. Where it is not, it is
/// looked for in the index, as long as that happens seldom.
///
/// It holds nothing of Postgres but memory between two calls, and needs no destructor: so it may live in the context of
/// a function's calls, and an error may end it anywhere. All of it may raise errors of Postgres.
class StateCursor {
  public:
    /// The table of the state, and its unique index over the key's forms; as many blocks as may have rows that are
    /// seen.
    struct State {
        Oid table, index; ///< index invalid: nothing is looked for
        BlockNumber blocks;
        int keys, hash; ///< how many columns of the table the key has, which come first; and the number of the hash's
    };
    struct Row {
        ItemPointerData place;
        bool has_hash;
        std::int64_t hash;
    };
    enum class Answer { found, absent, undecided };

    /// Keeps what it needs in the context.
    StateCursor(const State &state, MemoryContext context);

    /// The row of a key that has no NULL, under the snapshot that is active. `key` has the types of the table, `forms`
    /// those of the index. Undecided: it is not where it is expected, and too many were not.
    Answer find(const Datum *key, const Datum *forms, Row &found);

    /// Whether values of these types may be given for a column of the key and for its form.
    bool takes(int column, Oid key, Oid form) const;

  private:
    bool is_next(const Datum *key, Row &found);
    bool is_at(int position, const Datum *key) const;
    bool look_up(const Datum *forms, Row &found);
    void go_behind(const ItemPointerData &place);
    void fill(int blocks);
    void put(TupleTableSlot *slot);
    Datum copy(int column, Datum value);
    Datum *key_at(int position) const { return keys_ + position * state_.keys; }

    State state_;
    TupleDesc descriptor_ = nullptr;
    TupleTableSlot *slot_ = nullptr;
    BlockNumber next_block_ = 0;
    // What was read, of which the first are behind it; and what their keys point to, anew with each reading.
    Row *rows_ = nullptr;
    Datum *keys_ = nullptr;
    int count_ = 0, position_ = 0;
    MemoryContext of_keys_ = nullptr, of_keys_before_ = nullptr;
    int credit_;
    ItemPointerData elsewhere_; ///< where the key was that was looked for last
};

} // namespace reverse_etl
