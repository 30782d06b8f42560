#pragma once

#include "postgres/border/result_rows.h"
#include "postgres/syncs/rows.h"
#include "postgres/syncs/statements.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Keys with their hashes, as rows of a sync's state.
class KeyRows {
  public:
    /// `lasting`: where they are kept beyond the transaction; they go with it otherwise. In a transaction.
    explicit KeyRows(const SyncDefinition &sync, MemoryContext lasting = nullptr);

    void put(const Datum *key);
    void put(const Datum *key, Datum hash);
    bool is_empty() const { return rows_.is_empty(); }
    std::int64_t count() const { return rows_.count(); }
    /// With each as a new row of the state, which points to what is valid until the next.
    template <class Take>
    void for_each(Take &&take) const {
        rows_.for_each([&](TupleTableSlot *slot) { take(row_of(slot)); });
    }

    /// Runs a statement that reads them by the name; nothing where there are none. They are the keys of one burst, and
    /// each is looked for by itself: the planner would read all of the state for a burst, however many there are.
    void run(const char *name, const std::string &statement) const;
    /// Writes them into the state; nearly always it has all of the keys.
    void keep(const char *name, const SyncStatements &statements) const;

    // As a text of bytes, and back.
    void append(const Datum *key, std::string &text);
    void put_all(std::string_view text);

  private:
    std::uint64_t run_all(const char *name, const std::string &statement) const;
    void put_key(const Datum *key);
    SyncRow row_of(TupleTableSlot *slot) const;

    std::size_t keys_;
    TupleDesc descriptor_;
    int hash_ = 0;
    std::vector<Datum> values_;
    std::unique_ptr<bool[]> nulls_;
    ResultRows rows_;
};

} // namespace reverse_etl
