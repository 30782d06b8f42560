#include "postgres/sources/kept_rows.h"

#include "postgres/border/border.h"

extern "C" {
#include "executor/executor.h"
#include "miscadmin.h"
}

namespace reverse_etl {

KeptRows::KeptRows(TupleDesc descriptor, MemoryContext context) : context_(context) {
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(context);
        store_ = tuplestore_begin_heap(false, false, work_mem);
        tuplestore_set_eflags(store_, EXEC_FLAG_REWIND);
        slot_ = MakeSingleTupleTableSlot(CreateTupleDescCopy(descriptor), &TTSOpsMinimalTuple);
        MemoryContextSwitchTo(caller);
    });
}

void KeptRows::add(TupleTableSlot *slot, Reader &reader) {
    // The first pointer is nobody's, so that what is added moves no reader.
    pg_call([&] {
        tuplestore_select_read_pointer(store_, 0);
        tuplestore_puttupleslot(store_, slot);
    });
    rows_++;
    reader.row_++;
}

bool KeptRows::next(Reader &reader, TupleTableSlot *slot) {
    if (reader.row_ == rows_)
        return false;
    return pg_call([&] {
        // The slot frees what comes from a file when it takes the next: not where each row's memory is reset.
        MemoryContext caller = MemoryContextSwitchTo(context_);
        if (reader.pointer_ < 0)
            reader.pointer_ = tuplestore_alloc_read_pointer(store_, EXEC_FLAG_REWIND);
        tuplestore_select_read_pointer(store_, reader.pointer_);
        if (reader.passed_ > reader.row_) {
            tuplestore_rescan(store_);
            reader.passed_ = 0;
        }
        if (reader.passed_ < reader.row_)
            tuplestore_skiptuples(store_, reader.row_ - reader.passed_, true);
        const bool is_there = tuplestore_gettupleslot(store_, true, false, slot_);
        MemoryContextSwitchTo(caller);
        if (!is_there)
            elog(ERROR, "a kept row is not there");
        reader.passed_ = ++reader.row_;
        slot_getallattrs(slot_);
        for (int i = 0; i < slot_->tts_tupleDescriptor->natts; i++) {
            slot->tts_values[i] = slot_->tts_values[i];
            slot->tts_isnull[i] = slot_->tts_isnull[i];
        }
        return true;
    });
}

void KeptRows::close() {
    pg_call([&] {
        ExecDropSingleTupleTableSlot(slot_);
        tuplestore_end(store_);
    });
}

} // namespace reverse_etl
