#include "postgres/syncs/state_cursor.h"

#include "postgres/border/compat.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "parser/parse_coerce.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

/// Blocks that are read at once. Behind a place that was looked for it is one, for it may not go on there.
constexpr int most_blocks = 4;
/// So many rows of the state may be gone from the model, one behind another, without a key being looked for.
constexpr int rows_ahead = 8;
constexpr int most_rows = most_blocks * MaxHeapTuplesPerPage + rows_ahead;

/// To look for a key takes as long as to meet so many of them where they are expected. Who begins may look for some,
/// and no more at any time than a cold index bears.
constexpr int price = 8, credit_at_first = 25 * price, most_credit = 10'000 * price;

/// Whether a row stands where rows behind the other may be expected.
bool is_behind(const ItemPointerData &other, const ItemPointerData &place) {
    const BlockNumber from = ItemPointerGetBlockNumberNoCheck(&other), to = ItemPointerGetBlockNumberNoCheck(&place);
    const int ahead = ItemPointerGetOffsetNumberNoCheck(&place) - ItemPointerGetOffsetNumberNoCheck(&other);
    return from == to ? ahead > 0 && ahead <= rows_ahead : to == from + 1;
}

} // namespace

StateCursor::StateCursor(const State &state, MemoryContext context) : state_(state), credit_(credit_at_first) {
    ItemPointerSetInvalid(&elsewhere_);
    MemoryContext caller = MemoryContextSwitchTo(context);
    Relation table = table_open(state.table, AccessShareLock);
    descriptor_ = CreateTupleDescCopy(RelationGetDescr(table));
    slot_ = MakeTupleTableSlot(descriptor_, table_slot_callbacks(table));
    table_close(table, AccessShareLock);
    rows_ = static_cast<Row *>(palloc(most_rows * sizeof(Row)));
    keys_ = static_cast<Datum *>(palloc(most_rows * state.keys * sizeof(Datum)));
    of_keys_ = AllocSetContextCreate(context, "reverse_etl keys of a state", ALLOCSET_DEFAULT_SIZES);
    of_keys_before_ = AllocSetContextCreate(context, "reverse_etl keys of a state", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(caller);
}

bool StateCursor::takes(int column, Oid key, Oid form) const {
    if (key != TupleDescAttr(descriptor_, column)->atttypid)
        return false;
    if (!OidIsValid(state_.index))
        return true;
    Relation index = index_open(state_.index, AccessShareLock);
    const bool fits = IndexRelationGetNumberOfKeyAttributes(index) == state_.keys &&
                      IsBinaryCoercible(form, index->rd_opcintype[column]);
    index_close(index, AccessShareLock);
    return fits;
}

StateCursor::Answer StateCursor::find(const Datum *key, const Datum *forms, Row &found) {
    if (is_next(key, found)) {
        credit_ = std::min(credit_ + 1, most_credit);
        return Answer::found;
    }
    if (credit_ < price || !OidIsValid(state_.index))
        return Answer::undecided;
    credit_ -= price;
    if (!look_up(forms, found))
        return Answer::absent;
    // One row that is elsewhere was changed since. Two, one behind the other, are a place from which it goes on.
    if (is_behind(std::exchange(elsewhere_, found.place), found.place))
        go_behind(found.place);
    return Answer::found;
}

/// Whether the key is that of one of the next rows. Those before it are passed.
bool StateCursor::is_next(const Datum *key, Row &found) {
    if (count_ - position_ < rows_ahead && next_block_ < state_.blocks)
        fill(most_blocks);
    for (int i = position_; i < std::min(position_ + rows_ahead, count_); i++)
        if (is_at(i, key)) {
            found = rows_[i];
            position_ = i + 1;
            return true;
        }
    return false;
}

/// Bit by bit. Another spelling of the same key has to be looked for.
bool StateCursor::is_at(int position, const Datum *key) const {
    for (int i = 0; i < state_.keys; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor_, i);
        if (!datum_image_eq(key_at(position)[i], key[i], attribute->attbyval, attribute->attlen))
            return false;
    }
    return true;
}

bool StateCursor::look_up(const Datum *forms, Row &found) {
    Relation table = table_open(state_.table, AccessShareLock);
    Relation index = index_open(state_.index, AccessShareLock);
    ScanKeyData conditions[INDEX_MAX_KEYS];
    for (int i = 0; i < state_.keys; i++) {
        Oid type = index->rd_opcintype[i];
        Oid equality = get_opfamily_member(index->rd_opfamily[i], type, type, BTEqualStrategyNumber);
        ScanKeyEntryInitialize(&conditions[i], 0, static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber, InvalidOid,
                               index->rd_indcollation[i], get_opcode(equality), forms[i]);
    }
    IndexScanDesc scan = compat::begin_index_scan(table, index, GetActiveSnapshot(), state_.keys);
    index_rescan(scan, conditions, state_.keys, nullptr, 0);
    bool any = index_getnext_slot(scan, ForwardScanDirection, slot_);
    if (any) {
        bool has_no_hash = false;
        Datum hash = slot_getattr(slot_, state_.hash, &has_no_hash);
        found = {slot_->tts_tid, !has_no_hash, has_no_hash ? 0 : DatumGetInt64(hash)};
    }
    ExecClearTuple(slot_);
    index_endscan(scan);
    index_close(index, AccessShareLock);
    table_close(table, AccessShareLock);
    return any;
}

void StateCursor::go_behind(const ItemPointerData &place) {
    count_ = position_ = 0;
    next_block_ = ItemPointerGetBlockNumber(&place);
    fill(1);
    while (position_ < count_ && ItemPointerCompare(&rows_[position_].place, const_cast<ItemPointer>(&place)) <= 0)
        position_++;
}

/// Reads the next blocks, behind what is left.
void StateCursor::fill(int blocks) {
    std::swap(of_keys_, of_keys_before_);
    MemoryContextReset(of_keys_);
    const int left = count_ - position_;
    for (int i = 0; i < left; i++) {
        rows_[i] = rows_[position_ + i];
        for (int column = 0; column < state_.keys; column++)
            key_at(i)[column] = copy(column, key_at(position_ + i)[column]);
    }
    position_ = 0;
    count_ = left;
    const BlockNumber end = std::min(state_.blocks, next_block_ + static_cast<BlockNumber>(blocks));
    if (next_block_ >= end)
        return;
    ItemPointerData first, last;
    ItemPointerSet(&first, next_block_, FirstOffsetNumber);
    ItemPointerSet(&last, end - 1, MaxOffsetNumber);
    next_block_ = end;
    Relation table = table_open(state_.table, AccessShareLock);
    TableScanDesc scan = table_beginscan_tidrange(table, GetActiveSnapshot(), &first, &last);
    while (count_ < most_rows && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot_))
        put(slot_);
    ExecClearTuple(slot_);
    table_endscan(scan);
    table_close(table, AccessShareLock);
}

void StateCursor::put(TupleTableSlot *slot) {
    slot_getsomeattrs(slot, std::max(state_.keys, state_.hash));
    const int hash = state_.hash - 1;
    const bool has_hash = !slot->tts_isnull[hash];
    rows_[count_] = {slot->tts_tid, has_hash, has_hash ? DatumGetInt64(slot->tts_values[hash]) : 0};
    for (int column = 0; column < state_.keys; column++)
        key_at(count_)[column] = copy(column, slot->tts_values[column]);
    count_++;
}

Datum StateCursor::copy(int column, Datum value) {
    const FormData_pg_attribute *attribute = TupleDescAttr(descriptor_, column);
    if (attribute->attbyval)
        return value;
    MemoryContext caller = MemoryContextSwitchTo(of_keys_);
    Datum copied = datumCopy(value, false, attribute->attlen);
    MemoryContextSwitchTo(caller);
    return copied;
}

} // namespace reverse_etl
