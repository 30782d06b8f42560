#include "postgres/outbox/writer.h"

#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// What becomes of a row is written down as jsonb, whose strings have 256 MB at most, and the worker holds it in
/// memory.
constexpr std::size_t most_row_bytes = 64 << 20;

} // namespace

OutboxWriter::OutboxWriter(const Push &push, MemoryContext context)
    : push_(push), table_(pg_call([&] {
          // Before any number is drawn: the worker takes it that whoever may still add a row with a number that it has
          // seen pass is among the running transactions.
          GetTopTransactionId();
          return TableWriter(outbox_table_of(push.destination), context);
      })) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context);
        columns_ = outbox::Columns(table_.relation());
        operation_ = text_datum(ServerText(push.operation));
        sequence_ = internal_relation("outbox_id_seq");
        MemoryContextSwitchTo(caller);
    });
}

namespace {

void check_size(const std::string &key, const std::string &row) {
    std::size_t bytes = key.size() + row.size();
    if (bytes > most_row_bytes)
        throw Error(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a row of " + std::to_string(bytes) + " bytes cannot be queued",
                    "A queued row has at most " + std::to_string(most_row_bytes) + " bytes as JSON.",
                    "With the option \"delivery\" set to 'immediate' it is sent by the statement itself.");
}

} // namespace

std::int64_t OutboxWriter::draw_numbers() {
    return nextval_internal(internal_relation("outbox_id_seq"), false) * TableWriter::most_rows;
}

int64 OutboxWriter::add(const std::string &key, const std::string &row) {
    check_size(key, row);
    return pg_call([&] {
        // So many numbers are taken from the sequence at a time; they are never kept for later, since another
        // session's numbers might overtake them.
        if (table_.is_empty())
            first_id_ = nextval_internal(sequence_, false) * TableWriter::most_rows;
        int64 id = first_id_ + table_.count();
        put(id, key, row, 0);
        return id;
    });
}

void OutboxWriter::add(std::int64_t id, const std::string &key, const std::string &row, int attempts) {
    check_size(key, row);
    pg_call([&] { put(id, key, row, attempts); });
}

/// Call inside pg_call.
void OutboxWriter::put(std::int64_t id, const std::string &key, const std::string &row, int attempts) {
    TupleTableSlot *slot = table_.begin_row();
    auto set = [&](outbox::Column column, Datum value) {
        slot->tts_values[columns_[column]] = value;
        slot->tts_isnull[columns_[column]] = false;
    };
    set(outbox::id, Int64GetDatum(id));
    if (push_.id != 0)
        set(outbox::push, Int64GetDatum(push_.id));
    if (push_.sync != 0)
        set(outbox::sync, Int32GetDatum(push_.sync));
    set(outbox::destination, ObjectIdGetDatum(push_.destination));
    set(outbox::operation, operation_);
    set(outbox::enqueued_by, ObjectIdGetDatum(push_.enqueued_by));
    set(outbox::deliver_as, ObjectIdGetDatum(push_.deliver_as));
    set(outbox::enqueued_at, TimestampTzGetDatum(GetCurrentStatementStartTimestamp()));
    set(outbox::attempts, Int32GetDatum(attempts));
    if (!key.empty())
        set(outbox::key, text_datum(key));
    set(outbox::row, text_datum(row));
    table_.end_row(key.size() + row.size());
}

void OutboxWriter::finish() {
    pg_call([&] { table_.finish(); });
}

} // namespace reverse_etl
