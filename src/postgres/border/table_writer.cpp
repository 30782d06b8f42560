#include "postgres/border/table_writer.h"

#include "postgres/border/compat.h"

#include <cstring>

extern "C" {
#include "access/genam.h"
#include "access/itup.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "miscadmin.h"
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

TableWriter::TableWriter(Oid table, MemoryContext context, Indexes indexes) : context_(context) {
    MemoryContext caller = MemoryContextSwitchTo(context);
    rows_context_ = AllocSetContextCreate(context, "reverse_etl rows to write", ALLOCSET_DEFAULT_SIZES);
    table_ = table_open(table, RowExclusiveLock);
    estate_ = CreateExecutorState();
    result_ = makeNode(ResultRelInfo);
    InitResultRelInfo(result_, table_, 0, nullptr, 0);
    ExecOpenIndices(result_, false);
    slots_ = static_cast<TupleTableSlot **>(palloc(sizeof(TupleTableSlot *) * room_));
    if (indexes == Indexes::at_end) {
        entries_ = static_cast<Tuplesortstate **>(palloc(sizeof(Tuplesortstate *) * result_->ri_NumIndices));
        for (int i = 0; i < result_->ri_NumIndices; i++)
            entries_[i] = tuplesort_begin_index_btree(table_, result_->ri_IndexRelationDescs[i], false, false, work_mem,
                                                      nullptr, TUPLESORT_NONE);
    }
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
        insert_into_indexes(slots_[i]);
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

void TableWriter::insert_into_indexes(TupleTableSlot *slot) {
    if (entries_ == nullptr) {
        compat::insert_index_tuples(result_, slot, estate_);
        return;
    }
    GetPerTupleExprContext(estate_)->ecxt_scantuple = slot;
    for (int i = 0; i < result_->ri_NumIndices; i++) {
        Datum values[INDEX_MAX_KEYS];
        bool nulls[INDEX_MAX_KEYS];
        FormIndexDatum(result_->ri_IndexRelationInfo[i], slot, estate_, values, nulls);
        tuplesort_putindextuplevalues(entries_[i], result_->ri_IndexRelationDescs[i], &slot->tts_tid, values, nulls);
    }
}

void TableWriter::insert_sorted() {
    MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    for (int i = 0; i < result_->ri_NumIndices; i++) {
        Relation index = result_->ri_IndexRelationDescs[i];
        tuplesort_performsort(entries_[i]);
        while (IndexTuple entry = tuplesort_getindextuple(entries_[i], true)) {
            CHECK_FOR_INTERRUPTS();
            Datum values[INDEX_MAX_KEYS];
            bool nulls[INDEX_MAX_KEYS];
            index_deform_tuple(entry, RelationGetDescr(index), values, nulls);
            index_insert(index, values, nulls, &entry->t_tid, table_,
                         index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false,
                         result_->ri_IndexRelationInfo[i]);
            ResetPerTupleExprContext(estate_);
        }
        tuplesort_end(entries_[i]);
    }
    MemoryContextSwitchTo(caller);
}

void TableWriter::finish() {
    flush();
    if (entries_ != nullptr)
        insert_sorted();
    for (int i = 0; i < slot_count_; i++)
        ExecDropSingleTupleTableSlot(slots_[i]);
    ExecCloseIndices(result_);
    FreeExecutorState(estate_);
    table_close(table_, NoLock);
}

} // namespace reverse_etl
