#include "postgres/streams/changed_rows.h"

#include "postgres/border/border.h"

extern "C" {
#include "access/sysattr.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "utils/datum.h"
#include "utils/rel.h"
}

namespace reverse_etl {

namespace {

Tuplestorestate *one_row(HeapTuple tuple) {
    Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
    tuplestore_puttuple(rows, tuple);
    return rows;
}

/// Reads a transition table, which other triggers read as well.
class Reader {
  public:
    Reader(Tuplestorestate *rows, TupleDesc descriptor)
        : rows_(rows), pointer_(tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND)),
          slot_(MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple)) {
        rewind();
    }
    void rewind() {
        tuplestore_select_read_pointer(rows_, pointer_);
        tuplestore_rescan(rows_);
    }
    TupleTableSlot *next() {
        tuplestore_select_read_pointer(rows_, pointer_);
        return tuplestore_gettupleslot(rows_, true, false, slot_) ? slot_ : nullptr;
    }
    void close() { ExecDropSingleTupleTableSlot(slot_); }

  private:
    Tuplestorestate *rows_;
    int pointer_;
    TupleTableSlot *slot_;
};

bool differs(TupleTableSlot *before, TupleTableSlot *after, const Bitmapset *columns) {
    TupleDesc descriptor = after->tts_tupleDescriptor;
    bool all = bms_is_member(-FirstLowInvalidHeapAttributeNumber, columns);
    for (int i = 0; i < descriptor->natts; i++) {
        if (!all && !bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns))
            continue;
        bool was_null = false, is_null = false;
        Datum was = slot_getattr(before, i + 1, &was_null), is = slot_getattr(after, i + 1, &is_null);
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
        if (was_null != is_null || (!is_null && !datum_image_eq(was, is, attribute->attbyval, attribute->attlen)))
            return true;
    }
    return false;
}

} // namespace

ChangedRows changed_rows(TriggerData *trigger) {
    TriggerEvent event = trigger->tg_event;
    if (TRIGGER_FIRED_FOR_ROW(event)) {
        bool update = TRIGGER_FIRED_BY_UPDATE(event);
        return {pg_call([&] { return one_row(update ? trigger->tg_newtuple : trigger->tg_trigtuple); }),
                update ? pg_call([&] { return one_row(trigger->tg_trigtuple); }) : nullptr, true};
    }
    ChangedRows changed;
    changed.rows = TRIGGER_FIRED_BY_DELETE(event) ? trigger->tg_oldtable : trigger->tg_newtable;
    changed.before = TRIGGER_FIRED_BY_UPDATE(event) ? trigger->tg_oldtable : nullptr;
    if (changed.rows == nullptr)
        throw Error(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    "trigger \"" + ServerText(trigger->tg_trigger->tgname).utf8() + "\" has no transition table", "",
                    std::string("Create it with REFERENCING ") + (TRIGGER_FIRED_BY_DELETE(event) ? "OLD" : "NEW") +
                        " TABLE AS changed.");
    return changed;
}

bool leave_out_unchanged(ChangedRows &changed, TupleDesc descriptor, const Bitmapset *used, const Bitmapset *deciding) {
    return pg_call([&] {
        int64 rows = tuplestore_tuple_count(changed.rows);
        // Both tables hold the statement's rows in the same order, unless a BEFORE trigger kept a row from going into
        // another partition: then there is no telling which belong together.
        if (tuplestore_tuple_count(changed.before) != rows)
            return true;
        Reader before(changed.before, descriptor), after(changed.rows, descriptor);
        int64 unchanged = 0;
        bool decides = false;
        TupleTableSlot *was, *is;
        while ((was = before.next()) != nullptr && (is = after.next()) != nullptr) {
            if (!differs(was, is, used))
                unchanged++;
            else if (!decides)
                decides = differs(was, is, deciding);
        }
        // Mostly all rows of a statement differ, and need not be copied.
        if (unchanged > 0) {
            ChangedRows kept{tuplestore_begin_heap(false, false, work_mem),
                             tuplestore_begin_heap(false, false, work_mem), true};
            before.rewind();
            after.rewind();
            while (unchanged < rows && (was = before.next()) != nullptr && (is = after.next()) != nullptr)
                if (differs(was, is, used)) {
                    tuplestore_puttupleslot(kept.before, was);
                    tuplestore_puttupleslot(kept.rows, is);
                }
            close(changed);
            changed = kept;
        }
        before.close();
        after.close();
        return decides;
    });
}

void close(const ChangedRows &changed) {
    if (!changed.own)
        return;
    tuplestore_end(changed.rows);
    if (changed.before != nullptr)
        tuplestore_end(changed.before);
}

} // namespace reverse_etl
