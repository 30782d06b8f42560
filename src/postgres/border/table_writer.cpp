#include "postgres/border/table_writer.h"

#include "postgres/border/compat.h"

#include <cstring>

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

/// Rows that are written together: enough that a page's locks and log records are shared.
constexpr std::size_t most_bytes = 1 << 20;

/// Fewer are written as any statement writes its rows: to set up a ring of buffers takes longer than to write a row.
constexpr int few_rows = 100;

} // namespace

TableWriter::TableWriter(Oid table, MemoryContext context) : context_(context) {
    MemoryContext caller = MemoryContextSwitchTo(context);
    rows_context_ = AllocSetContextCreate(context, "reverse_etl rows to write", ALLOCSET_DEFAULT_SIZES);
    table_ = table_open(table, RowExclusiveLock);
    estate_ = CreateExecutorState();
    result_ = makeNode(ResultRelInfo);
    InitResultRelInfo(result_, table_, 0, nullptr, 0);
    ExecOpenIndices(result_, false);
    slots_ = static_cast<TupleTableSlot **>(palloc(sizeof(TupleTableSlot *) * room_));
    MemoryContextSwitchTo(caller);
}

TupleTableSlot *TableWriter::begin_row() {
    caller_ = MemoryContextSwitchTo(context_);
    if (count_ == slot_count_) {
        if (count_ == room_)
            slots_ = static_cast<TupleTableSlot **>(repalloc(slots_, sizeof(TupleTableSlot *) * (room_ *= 2)));
        slots_[slot_count_++] = table_slot_create(table_, nullptr);
    }
    TupleTableSlot *slot = slots_[count_];
    ExecClearTuple(slot);
    std::memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
    MemoryContextSwitchTo(rows_context_);
    return slot;
}

void TableWriter::end_row(std::size_t bytes) {
    ExecStoreVirtualTuple(slots_[count_]);
    MemoryContextSwitchTo(caller_);
    count_++;
    bytes_ += bytes;
    if (count_ == most_rows || bytes_ >= most_bytes)
        flush();
}

void TableWriter::flush() {
    if (count_ == 0)
        return;
    MemoryContext caller = MemoryContextSwitchTo(rows_context_);
    BulkInsertState bulk = count_ < few_rows ? nullptr : GetBulkInsertState();
    table_multi_insert(table_, slots_, count_, GetCurrentCommandId(true), 0, bulk);
    for (int i = 0; i < count_; i++) {
        MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
        compat::insert_index_tuples(result_, slots_[i], estate_);
        ResetPerTupleExprContext(estate_);
        ExecClearTuple(slots_[i]);
    }
    if (bulk != nullptr)
        FreeBulkInsertState(bulk);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(rows_context_);
    count_ = 0;
    bytes_ = 0;
}

void TableWriter::finish() {
    flush();
    for (int i = 0; i < slot_count_; i++)
        ExecDropSingleTupleTableSlot(slots_[i]);
    ExecCloseIndices(result_);
    FreeExecutorState(estate_);
    table_close(table_, NoLock);
}

} // namespace reverse_etl
