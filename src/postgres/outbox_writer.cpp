#include "postgres/outbox_writer.h"

#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/outbox_table.h"

#include <cstring>

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Rows that are written together: enough that a page's locks and log records are shared. So many numbers are taken
/// from the sequence at a time; they are never kept for later, since another session's numbers might overtake them.
constexpr int most_rows = 1000;
constexpr std::size_t most_bytes = 1 << 20;

/// Outbox texts are kept as they came where the database is in UTF-8 too.
Datum text_of(const std::string &utf8) {
    if (GetDatabaseEncoding() == PG_UTF8)
        return PointerGetDatum(cstring_to_text_with_len(utf8.data(), static_cast<int>(utf8.size())));
    return CStringGetTextDatum(pg_any_to_server(utf8.c_str(), static_cast<int>(utf8.size()), PG_UTF8));
}

} // namespace

OutboxWriter::OutboxWriter(const Push &push, MemoryContext context) : push_(push), context_(context) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context);
        // Before any number is drawn: the worker takes it that whoever may still add a row with a number that it has
        // seen pass is among the running transactions.
        GetTopTransactionId();
        rows_context_ = AllocSetContextCreate(context, "reverse_etl outbox rows", ALLOCSET_DEFAULT_SIZES);
        table_ = table_open(outbox_table_of(push.destination), RowExclusiveLock);
        estate_ = CreateExecutorState();
        result_ = makeNode(ResultRelInfo);
        InitResultRelInfo(result_, table_, 0, nullptr, 0);
        ExecOpenIndices(result_, false);
        slots_ = static_cast<TupleTableSlot **>(palloc0(sizeof(TupleTableSlot *) * most_rows));
        operation_ = CStringGetTextDatum(push.operation);
        sequence_ = get_relname_relid("outbox_id_seq", get_namespace_oid("reverse_etl", false));
        MemoryContextSwitchTo(caller);
    });
}

void OutboxWriter::add(const std::string &key, const std::string &row) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context_);
        if (slots_[count_] == nullptr)
            slots_[count_] = table_slot_create(table_, nullptr);
        TupleTableSlot *slot = slots_[count_];
        ExecClearTuple(slot);
        MemoryContextSwitchTo(rows_context_);
        std::memset(slot->tts_isnull, true, sizeof(bool) * outbox::column_count);
        auto set = [&](outbox::Column column, Datum value) {
            slot->tts_values[column] = value;
            slot->tts_isnull[column] = false;
        };
        if (count_ == 0)
            first_id_ = nextval_internal(sequence_, false) * most_rows;
        set(outbox::id, Int64GetDatum(first_id_ + count_));
        if (push_.id != 0)
            set(outbox::push, Int64GetDatum(push_.id));
        set(outbox::destination, ObjectIdGetDatum(push_.destination));
        set(outbox::operation, operation_);
        set(outbox::enqueued_by, ObjectIdGetDatum(push_.enqueued_by));
        set(outbox::deliver_as, ObjectIdGetDatum(push_.deliver_as));
        set(outbox::enqueued_at, TimestampTzGetDatum(GetCurrentStatementStartTimestamp()));
        set(outbox::attempts, Int32GetDatum(0));
        if (!key.empty()) {
            set(outbox::key_hash, Int64GetDatum(key_hash(key)));
            set(outbox::key, text_of(key));
        }
        set(outbox::row, text_of(row));
        ExecStoreVirtualTuple(slot);
        MemoryContextSwitchTo(caller);
    });
    count_++;
    bytes_ += key.size() + row.size();
    if (count_ == most_rows || bytes_ >= most_bytes)
        flush();
}

void OutboxWriter::flush() {
    if (count_ == 0)
        return;
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(rows_context_);
        BulkInsertState bulk = GetBulkInsertState();
        table_multi_insert(table_, slots_, count_, GetCurrentCommandId(true), 0, bulk);
        for (int i = 0; i < count_; i++) {
            MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
            compat::insert_index_tuples(result_, slots_[i], estate_);
            ResetPerTupleExprContext(estate_);
            ExecClearTuple(slots_[i]);
        }
        FreeBulkInsertState(bulk);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(rows_context_);
    });
    count_ = 0;
    bytes_ = 0;
}

void OutboxWriter::finish() {
    flush();
    pg_call([&] {
        for (int i = 0; i < most_rows && slots_[i] != nullptr; i++)
            ExecDropSingleTupleTableSlot(slots_[i]);
        ExecCloseIndices(result_);
        FreeExecutorState(estate_);
        table_close(table_, NoLock);
    });
}

int64 key_hash(const std::string &key) {
    return static_cast<int64>(
        hash_bytes_extended(reinterpret_cast<const unsigned char *>(key.data()), static_cast<int>(key.size()), 0));
}

} // namespace reverse_etl
