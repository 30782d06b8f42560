#pragma once

#include <memory>
#include <string>

#include "postgres/border/postgres.h"

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplestore.h"
}

namespace reverse_etl {

/// While one lives, queries see one state of the database.
class OneSnapshot {
  public:
    OneSnapshot();
    ~OneSnapshot();
    OneSnapshot(const OneSnapshot &) = delete;
    OneSnapshot &operator=(const OneSnapshot &) = delete;
};

/// The rows of a query, kept in memory up to work_mem and on disk beyond it. Statements of the open connection to SPI
/// may read them by a name.
class ResultRows {
  public:
    ResultRows() = default;

    /// Runs the query under the snapshot that is active (OneSnapshot), in parallel where the planner finds that
    /// worthwhile.
    static ResultRows of(const std::string &query);

    /// Rows that are put into it, as the descriptor says, in this transaction.
    static ResultRows made_of(TupleDesc descriptor);
    void put(const Datum *values, const bool *nulls);

    /// Lets statements of the connection read them. `expected`: how many the planner is to think that there are; -1: as
    /// many as there are.
    void show_as(const char *name, double expected = -1) const;

    /// Reads them from the beginning; for each row calls `take`, with a slot that is valid until the next.
    template <class Take>
    void for_each(Take &&take) const {
        TupleTableSlot *slot = begin();
        while (next(slot))
            take(slot);
        end(slot);
    }

    std::int64_t count() const;
    TupleDesc descriptor() const { return descriptor_; }
    bool is_empty() const { return count() == 0; }

  private:
    TupleTableSlot *begin() const;
    bool next(TupleTableSlot *slot) const;
    static void end(TupleTableSlot *slot);

    struct End {
        void operator()(Tuplestorestate *rows) const { tuplestore_end(rows); }
    };
    std::unique_ptr<Tuplestorestate, End> rows_;
    TupleDesc descriptor_ = nullptr;
};

/// Shows rows by a name while it lives, for those that go before the connection to SPI does.
class ShownRows {
  public:
    ShownRows(const ResultRows &rows, const char *name, double expected = -1) : name_(name) {
        rows.show_as(name, expected);
    }
    ~ShownRows();
    ShownRows(const ShownRows &) = delete;
    ShownRows &operator=(const ShownRows &) = delete;

  private:
    const char *name_;
};

} // namespace reverse_etl
