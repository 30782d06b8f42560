#include "postgres/outbox/scan.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/own_column.h"

extern "C" {
#include "access/heapam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// The index on destination and id.
Relation open_index(Relation table, const outbox::Columns &columns) {
    Relation found = nullptr;
    ListCell *cell;
    foreach (cell, RelationGetIndexList(table)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        const Form_pg_index form = index->rd_index;
        if (form->indnkeyatts == 2 && form->indkey.values[0] == columns[outbox::destination] + 1 &&
            form->indkey.values[1] == columns[outbox::id] + 1)
            found = index;
        else
            index_close(index, AccessShareLock);
        if (found != nullptr)
            return found;
    }
    elog(ERROR, "table \"%s\" has lost its index", ServerText(table->rd_rel->relname));
}

std::string_view utf8(Datum value) {
    return utf8_of(ServerText(value).bytes());
}

uint64 place_of(const ItemPointerData &tid) {
    return static_cast<uint64>(ItemPointerGetBlockNumberNoCheck(&tid)) << 16 | ItemPointerGetOffsetNumberNoCheck(&tid);
}

BlockNumber block_of(const FoundPlace &row) {
    return static_cast<BlockNumber>(row.place >> 16);
}

/// Whether it still lies in this page, which is locked. Else it was moved when it was put off; or somebody may have
/// deleted it by hand, and then another row may lie there.
bool lies_in(Relation table, Buffer buffer, int id, const FoundPlace &row) {
    const Page page = BufferGetPage(buffer);
    const auto offset = static_cast<OffsetNumber>(row.place);
    if (offset < FirstOffsetNumber || offset > PageGetMaxOffsetNumber(page))
        return false;
    const ItemId item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item))
        return false;
    HeapTupleData tuple;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    tuple.t_tableOid = RelationGetRelid(table);
    ItemPointerSet(&tuple.t_self, block_of(row), offset);
    bool is_null;
    const Datum number = heap_getattr(&tuple, id + 1, RelationGetDescr(table), &is_null);
    return !is_null && DatumGetInt64(number) == row.id &&
           HeapTupleSatisfiesVisibility(&tuple, GetActiveSnapshot(), buffer);
}

bool delete_at(Relation table, const FoundPlace &row) {
    ItemPointerData tid;
    ItemPointerSet(&tid, block_of(row), static_cast<OffsetNumber>(row.place));
    TM_FailureData failure;
    return table_tuple_delete(table, &tid, GetCurrentCommandId(true), GetActiveSnapshot(), InvalidSnapshot, true,
                              &failure, false) == TM_Ok;
}

/// Deletes rows of one page; writes the numbers of those that do not lie there to `missed`, and answers how many. All
/// are looked for under one lock. An index scan would look for each on its own, and would tidy up a page of which
/// nothing is to be left.
int delete_in_page(Relation table, int id, const FoundPlace *rows, std::size_t count, int64 *missed) {
    auto *lies_there = static_cast<bool *>(palloc(count));
    const Buffer buffer = ReadBuffer(table, block_of(*rows));
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    for (std::size_t i = 0; i < count; i++)
        lies_there[i] = lies_in(table, buffer, id, rows[i]);
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    int misses = 0;
    for (std::size_t i = 0; i < count; i++)
        if (!lies_there[i] || !delete_at(table, rows[i]))
            missed[misses++] = rows[i].id;
    ReleaseBuffer(buffer);
    pfree(lies_there);
    return misses;
}

} // namespace

OutboxScan::OutboxScan(Oid table, Oid destination, int64 after) {
    if (!OidIsValid(table))
        return;
    pg_call([&] {
        table_ = table_open(table, AccessShareLock);
        columns_ = outbox::Columns(table_);
        index_ = open_index(table_, columns_);
        slot_ = table_slot_create(table_, nullptr);
        ScanKeyData keys[2];
        ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(destination));
        ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
        scan_ = compat::begin_index_scan(table_, index_, GetActiveSnapshot(), 2);
        index_rescan(scan_, keys, 2, nullptr, 0);
    });
}

const FoundRow *OutboxScan::next() {
    bool found = table_ != nullptr && pg_call([&] {
                     if (!index_getnext_slot(scan_, ForwardScanDirection, slot_))
                         return false;
                     slot_getallattrs(slot_);
                     read_slot();
                     return true;
                 });
    return found ? &row_ : nullptr;
}

void OutboxScan::read_slot() {
    auto value = [&](outbox::Column column) {
        int place = columns_[column];
        return slot_->tts_isnull[place] ? Datum{0} : slot_->tts_values[place];
    };
    auto text = [&](outbox::Column column) {
        return slot_->tts_isnull[columns_[column]] ? std::string_view() : utf8(value(column));
    };
    row_.id = DatumGetInt64(value(outbox::id));
    row_.place = place_of(slot_->tts_tid);
    row_.push = DatumGetInt64(value(outbox::push));
    row_.operation = text(outbox::operation);
    row_.deliver_as = DatumGetObjectId(value(outbox::deliver_as));
    row_.enqueued_at = DatumGetTimestampTz(value(outbox::enqueued_at));
    row_.attempts = DatumGetInt32(value(outbox::attempts));
    row_.sync = DatumGetInt32(value(outbox::sync));
    row_.next_attempt_at = DatumGetTimestampTz(value(outbox::next_attempt_at));
    row_.key = text(outbox::key);
    row_.row = text(outbox::row);
}

void OutboxScan::end() {
    if (table_ == nullptr)
        return;
    pg_call([&] {
        index_endscan(scan_);
        ExecDropSingleTupleTableSlot(slot_);
        index_close(index_, NoLock);
        table_close(table_, NoLock);
    });
    table_ = nullptr;
}

std::vector<int64> delete_found_rows(Oid table, const std::vector<FoundPlace> &rows) {
    struct {
        int64 *ids;
        int count;
    } missed = pg_call([&] {
        Relation relation = table_open(table, RowExclusiveLock);
        const BlockNumber blocks = RelationGetNumberOfBlocks(relation);
        const int id = own_column(relation, "id");
        auto *ids = static_cast<int64 *>(palloc(sizeof(int64) * (rows.size() + 1)));
        int count = 0;
        for (std::size_t first = 0, end; first < rows.size(); first = end) {
            for (end = first + 1; end < rows.size() && block_of(rows[end]) == block_of(rows[first]);)
                end++;
            if (block_of(rows[first]) < blocks)
                count += delete_in_page(relation, id, &rows[first], end - first, ids + count);
            else
                for (std::size_t i = first; i < end; i++)
                    ids[count++] = rows[i].id;
        }
        table_close(relation, NoLock);
        return decltype(missed){ids, count};
    });
    return {missed.ids, missed.ids + missed.count};
}

} // namespace reverse_etl
