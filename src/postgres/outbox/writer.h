#pragma once

#include "engine/queue/row_pack.h"
#include "postgres/border/table_writer.h"
#include "postgres/outbox/table.h"

#include <string_view>

namespace reverse_etl {

/// Where rows wait for their delivery: an append-only writer of reverse_etl.outbox, for one statement. It writes in
/// this transaction and asks nobody's rights: the statement's rights on the foreign table have been checked.
class OutboxWriter {
  public:
    /// What all rows of the statement have in common.
    struct Push {
        Oid destination;
        const char *operation;
        Oid enqueued_by; ///< whose rows they are
        Oid deliver_as;  ///< with whose rights and credentials they leave
        int64 id;        ///< in reverse_etl.audit_log; 0 for none
        int32 sync = 0;  ///< the managed sync whose state they move; 0 for none
    };

    OutboxWriter(const Push &push, MemoryContext context);
    OutboxWriter(const OutboxWriter &) = delete;
    OutboxWriter &operator=(const OutboxWriter &) = delete;

    /// Adds a row: JSON objects in UTF-8, the key "" for none. Its number in the outbox.
    int64 add(std::string_view key, std::string_view row);
    /// The same of a row of which others have the same members: they are stored many to a pack.
    int64 add(const EncodedRow &row);
    /// Numbers drawn ahead, each the first of so many as TableWriter keeps back. Call inside pg_call.
    static std::int64_t draw_numbers();
    /// Adds a row with such a number, which was tried so often.
    void add(std::int64_t id, std::string_view key, std::string_view row, int attempts);

    /// Writes what add() kept back, and closes the table. Without it, after an error, Postgres gives all back itself.
    void finish();

  private:
    std::int64_t next_number();
    TupleTableSlot *begin_row(std::int64_t id, int attempts);
    void set(TupleTableSlot *slot, outbox::Column column, Datum value) const;
    void put(std::int64_t id, std::string_view key, std::string_view row, int attempts);
    void put_pack();

    Push push_;
    TableWriter table_;
    int64 first_id_ = 0;   ///< of those that were drawn last
    int numbers_used_ = 0; ///< of them
    RowPacker packer_;
    outbox::Columns columns_;
    Datum operation_;
    Oid sequence_;
};

} // namespace reverse_etl
