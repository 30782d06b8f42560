#include "postgres/syncs/state_cursor.h"

#include "engine/text/hash_stream.h"
#include "postgres/border/compat.h"

#include <algorithm>
#include <cstring>
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

/// To look for a key takes as long as to meet so many of them where they are expected, or to look through what was read
/// last. Who begins may look for some, and no more at any time than a cold index bears.
constexpr int price = 8, price_near = 1, credit_at_first = 25 * price, most_credit = 10'000 * price;

/// Whether a row stands where the one behind the other may be expected.
bool is_behind(const ItemPointerData &other, const ItemPointerData &place) {
    const BlockNumber from = ItemPointerGetBlockNumberNoCheck(&other), to = ItemPointerGetBlockNumberNoCheck(&place);
    const int offset = ItemPointerGetOffsetNumberNoCheck(&place);
    const int ahead = offset - (from == to ? ItemPointerGetOffsetNumberNoCheck(&other) : 0);
    return (from == to || from + 1 == to) && ahead > 0 && ahead <= rows_ahead;
}

/// Two values that are the same bit by bit have the same.
std::uint64_t tag_of_value(const FormData_pg_attribute *attribute, Datum value) {
    if (attribute->attbyval)
        return value;
    if (attribute->attlen > 0)
        return hash_of_bytes(DatumGetPointer(value), attribute->attlen);
    if (attribute->attlen == -2)
        return hash_of_bytes(DatumGetCString(value), std::strlen(DatumGetCString(value)));
    varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
    const std::uint64_t tag = hash_of_bytes(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
    if (bytes != reinterpret_cast<varlena *>(DatumGetPointer(value)))
        pfree(bytes);
    return tag;
}

} // namespace

StateCursor::StateCursor(const State &state, MemoryContext context) : state_(state), credit_(credit_at_first) {
    ItemPointerSetInvalid(&elsewhere_);
    MemoryContext caller = MemoryContextSwitchTo(context);
    Relation table = table_open(state.table, AccessShareLock);
    descriptor_ = CreateTupleDescCopy(RelationGetDescr(table));
    slot_ = MakeTupleTableSlot(descriptor_, table_slot_callbacks(table));
    table_close(table, AccessShareLock);
    constexpr int most_rows = most_parts * most_blocks * MaxHeapTuplesPerPage;
    rows_ = static_cast<Row *>(palloc(most_rows * sizeof(Row)));
    keys_ = static_cast<Datum *>(palloc(most_rows * state.keys * sizeof(Datum)));
    tags_ = static_cast<std::uint64_t *>(palloc(most_rows * sizeof(std::uint64_t)));
    for (Part &part : parts_)
        part.of_keys = AllocSetContextCreate(context, "reverse_etl keys of a state", ALLOCSET_DEFAULT_SIZES);
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
    const std::uint64_t tag = tag_of(key);
    if (is_next(tag, key, found)) {
        credit_ = std::min(credit_ + 1, most_credit);
        return Answer::found;
    }
    if (credit_ >= price_near) {
        credit_ -= price_near;
        if (is_near(tag, key, found))
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
bool StateCursor::is_next(std::uint64_t tag, const Datum *key, Row &found) {
    if (count_ - position_ < rows_ahead && next_block_ < state_.blocks)
        fill(most_blocks);
    for (int i = position_; i < std::min(position_ + rows_ahead, count_); i++)
        if (is_at(i, tag, key)) {
            take(i, found);
            return true;
        }
    return false;
}

/// Whether it is that of another row that was read lately. It goes on behind it.
bool StateCursor::is_near(std::uint64_t tag, const Datum *key, Row &found) {
    const std::uint64_t *end = tags_ + count_;
    for (const std::uint64_t *at = tags_; (at = std::find(at, end, tag)) != end; at++)
        if (int i = static_cast<int>(at - tags_); is_at(i, tag, key)) {
            take(i, found);
            return true;
        }
    return false;
}

void StateCursor::take(int position, Row &found) {
    found = rows_[position];
    position_ = position + 1;
}

/// Bit by bit. Another spelling of the same key has to be looked for.
bool StateCursor::is_at(int position, std::uint64_t tag, const Datum *key) const {
    if (tags_[position] != tag)
        return false;
    for (int i = 0; i < state_.keys; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor_, i);
        if (!datum_image_eq(key_at(position)[i], key[i], attribute->attbyval, attribute->attlen))
            return false;
    }
    return true;
}

std::uint64_t StateCursor::tag_of(const Datum *key) const {
    std::uint64_t tag = 0;
    for (int i = 0; i < state_.keys; i++)
        tag = tag * 31 + tag_of_value(TupleDescAttr(descriptor_, i), key[i]);
    return tag;
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
    count_ = position_ = part_count_ = 0;
    next_block_ = ItemPointerGetBlockNumber(&place);
    fill(1);
    while (position_ < count_ && ItemPointerCompare(&rows_[position_].place, const_cast<ItemPointer>(&place)) <= 0)
        position_++;
}

/// Reads the next blocks, behind what was read.
void StateCursor::fill(int blocks) {
    if (part_count_ == most_parts)
        forget_oldest();
    Part &part = parts_[part_count_++];
    MemoryContextReset(part.of_keys);
    part.count = 0;
    const BlockNumber end = std::min(state_.blocks, next_block_ + static_cast<BlockNumber>(blocks));
    if (next_block_ >= end)
        return;
    ItemPointerData first, last;
    ItemPointerSet(&first, next_block_, FirstOffsetNumber);
    ItemPointerSet(&last, end - 1, MaxOffsetNumber);
    next_block_ = end;
    Relation table = table_open(state_.table, AccessShareLock);
    TableScanDesc scan = table_beginscan_tidrange(table, GetActiveSnapshot(), &first, &last);
    while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot_))
        put(slot_);
    ExecClearTuple(slot_);
    table_endscan(scan);
    table_close(table, AccessShareLock);
}

void StateCursor::forget_oldest() {
    const Part oldest = parts_[0];
    std::move(parts_ + 1, parts_ + part_count_, parts_);
    parts_[--part_count_] = oldest;
    std::move(rows_ + oldest.count, rows_ + count_, rows_);
    std::move(key_at(oldest.count), key_at(count_), keys_);
    std::move(tags_ + oldest.count, tags_ + count_, tags_);
    count_ -= oldest.count;
    position_ = std::max(position_ - oldest.count, 0);
}

void StateCursor::put(TupleTableSlot *slot) {
    slot_getsomeattrs(slot, std::max(state_.keys, state_.hash));
    Part &part = parts_[part_count_ - 1];
    const int hash = state_.hash - 1;
    const bool has_hash = !slot->tts_isnull[hash];
    rows_[count_] = {slot->tts_tid, has_hash, has_hash ? DatumGetInt64(slot->tts_values[hash]) : 0};
    MemoryContext caller = MemoryContextSwitchTo(part.of_keys);
    for (int column = 0; column < state_.keys; column++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor_, column);
        key_at(count_)[column] = datumCopy(slot->tts_values[column], attribute->attbyval, attribute->attlen);
    }
    MemoryContextSwitchTo(caller);
    tags_[count_] = tag_of(key_at(count_));
    count_++;
    part.count++;
}

} // namespace reverse_etl
