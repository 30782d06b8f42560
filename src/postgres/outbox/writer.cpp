#include "postgres/outbox/writer.h"

#include "postgres/border/border.h"
#include "postgres/border/own_relations.h"

#include <string>
#include <vector>

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
      })),
      packer_(outbox::most_pack_bytes) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context);
        columns_ = outbox::Columns(table_.relation());
        operation_ = text_datum(ServerText(push.operation));
        sequence_ = internal_relation("outbox_id_seq");
        MemoryContextSwitchTo(caller);
    });
}

namespace {

void check_size(std::string_view key, std::string_view row) {
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

/// So many numbers are taken from the sequence at a time; they are never kept for a later statement, since another
/// session's numbers might overtake them. Call inside pg_call.
std::int64_t OutboxWriter::next_number() {
    if (numbers_used_ == 0)
        first_id_ = nextval_internal(sequence_, false) * TableWriter::most_rows;
    const std::int64_t number = first_id_ + numbers_used_;
    numbers_used_ = (numbers_used_ + 1) % TableWriter::most_rows;
    return number;
}

int64 OutboxWriter::add(std::string_view key, std::string_view row) {
    check_size(key, row);
    return pg_call([&] {
        const std::int64_t id = next_number();
        put(id, key, row, 0);
        return id;
    });
}

int64 OutboxWriter::add(const EncodedRow &row) {
    check_size(row.key, row.row);
    // No pack holds numbers of two draws.
    if (numbers_used_ == 0)
        put_pack();
    const std::int64_t id = pg_call([&] { return next_number(); });
    const auto number = static_cast<std::uint64_t>(id);
    if (packer_.add(number, row))
        return id;
    put_pack();
    if (!packer_.add(number, row))
        pg_call([&] { put(id, row.key, row.row, 0); });
    return id;
}

void OutboxWriter::add(std::int64_t id, std::string_view key, std::string_view row, int attempts) {
    check_size(key, row);
    pg_call([&] { put(id, key, row, attempts); });
}

void OutboxWriter::set(TupleTableSlot *slot, outbox::Column column, Datum value) const {
    slot->tts_values[columns_[column]] = value;
    slot->tts_isnull[columns_[column]] = false;
}

TupleTableSlot *OutboxWriter::begin_row(std::int64_t id, int attempts) {
    TupleTableSlot *slot = table_.begin_row();
    set(slot, outbox::id, Int64GetDatum(id));
    if (push_.id != 0)
        set(slot, outbox::push, Int64GetDatum(push_.id));
    if (push_.sync != 0)
        set(slot, outbox::sync, Int32GetDatum(push_.sync));
    set(slot, outbox::destination, ObjectIdGetDatum(push_.destination));
    set(slot, outbox::operation, operation_);
    set(slot, outbox::enqueued_by, ObjectIdGetDatum(push_.enqueued_by));
    set(slot, outbox::deliver_as, ObjectIdGetDatum(push_.deliver_as));
    set(slot, outbox::enqueued_at, TimestampTzGetDatum(GetCurrentStatementStartTimestamp()));
    set(slot, outbox::attempts, Int32GetDatum(attempts));
    return slot;
}

/// Call inside pg_call.
void OutboxWriter::put(std::int64_t id, std::string_view key, std::string_view row, int attempts) {
    TupleTableSlot *slot = begin_row(id, attempts);
    if (!key.empty())
        set(slot, outbox::key, text_datum(key));
    set(slot, outbox::row, text_datum(row));
    table_.end_row(key.size() + row.size());
}

/// A row that is alone in its pack is stored as one.
void OutboxWriter::put_pack() {
    const std::size_t count = packer_.count();
    if (count == 0)
        return;
    const auto id = static_cast<std::int64_t>(packer_.number());
    const std::string &pack = packer_.finish();
    if (count > 1) {
        pg_call([&] {
            TupleTableSlot *slot = begin_row(id, 0);
            set(slot, outbox::pack, outbox::pack_datum(pack));
            table_.end_row(pack.size());
        });
        return;
    }
    PackedRows rows;
    std::string row, key;
    std::vector<ValuePlace> values;
    rows.begin(pack);
    rows.next();
    rows.write(row, key, values);
    pg_call([&] { put(id, key, row, 0); });
}

void OutboxWriter::finish() {
    put_pack();
    pg_call([&] { table_.finish(); });
}

} // namespace reverse_etl
