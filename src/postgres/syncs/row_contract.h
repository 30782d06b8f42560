#pragma once

#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

extern "C" {
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// Makes rows of a query into rows of a destination, and holds them to what the foreign table says: Postgres itself
/// enforces neither NOT NULL nor CHECK on one. Values are cast as an INSERT would cast them. What one row breaks, or an
/// error that its values raise, is that row's alone.
class RowContract {
  public:
    /// `columns`: those of the query that are the destination's, by name. An Error tells of a type that does not fit.
    /// Everything is kept in the memory context, and what Postgres counts is given back by close(), or by an abort.
    /// Without `rules` values are cast and nothing more is asked: of rows that are to be removed only the key is known.
    RowContract(const Destination &destination, TupleDesc query, const std::vector<std::string> &columns, bool rules,
                MemoryContext context);
    RowContract(const RowContract &) = delete;
    RowContract &operator=(const RowContract &) = delete;

    /// The row as one of the destination, valid until the next call; nullptr if it breaks the contract: why is in
    /// reason().
    TupleTableSlot *apply(TupleTableSlot *row);
    const std::string &reason() const { return reason_; }

    void close();

  private:
    struct Column {
        AttrNumber from, to;
        ServerText name;
        bool not_null;
        ExprState *cast; ///< nullptr: the value as it is
    };
    struct Check {
        ServerText name;
        ExprState *condition;
    };

    void prepare_columns(const Destination &destination, TupleDesc query, const std::vector<std::string> &columns);
    void prepare_checks();
    void cast_values(TupleTableSlot *row);
    ServerText broken_rule();
    void check(TupleTableSlot *row);
    bool apply_apart(TupleTableSlot *row);

    Relation relation_;
    EState *estate_;
    ExprContext *econtext_;
    TupleTableSlot *made_;
    std::vector<Column> columns_;
    std::vector<Check> checks_;
    bool rules_;
    bool may_raise_ = false; ///< casts and conditions run code
    std::string reason_;
};

} // namespace reverse_etl
