#include "postgres/outbox/scan.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/outbox/read_pack.h"

#include <optional>

extern "C" {
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
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

} // namespace

OutboxScan::OutboxScan(Oid table, Oid destination, int64 after) : after_(after) {
    if (!OidIsValid(table))
        return;
    pg_call([&] {
        table_ = table_open(table, AccessShareLock);
        columns_ = outbox::Columns(table_);
        index_ = open_index(table_, columns_);
        slot_ = table_slot_create(table_, nullptr);
        ScanKeyData keys[2];
        ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(destination));
        // A pack whose number is less may hold greater ones.
        const int64 before = after - static_cast<int64>(row_pack::most_distance);
        ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(before));
        scan_ = compat::begin_index_scan(table_, index_, GetActiveSnapshot(), 2);
        index_rescan(scan_, keys, 2, nullptr, 0);
    });
}

const FoundRow *OutboxScan::next() {
    while (table_ != nullptr) {
        while (in_pack_ && next_of_pack())
            if (row_.id > after_)
                return &row_;
        in_pack_ = false;
        if (!read_tuple())
            return nullptr;
        if (!in_pack_ && row_.id > after_)
            return &row_;
    }
    return nullptr;
}

/// Goes to the next tuple: a row, or a pack that is to be read.
bool OutboxScan::read_tuple() {
    const std::optional<std::string_view> pack = pg_call([&]() -> std::optional<std::string_view> {
        if (!index_getnext_slot(scan_, ForwardScanDirection, slot_))
            return std::nullopt;
        slot_getallattrs(slot_);
        read_slot();
        const bool is_row = slot_->tts_isnull[columns_[outbox::pack]];
        return is_row ? std::string_view() : outbox::pack_of(value(outbox::pack));
    });
    if (!pack || pack->data() == nullptr)
        return pack.has_value();
    in_pack_ = true;
    first_id_ = row_.id;
    row_.values = &values_;
    read_pack([&] { pack_.begin(*pack); });
    return true;
}

bool OutboxScan::next_of_pack() {
    bool any = false;
    read_pack([&] {
        any = pack_.next();
        if (!any)
            return;
        row_.id = first_id_ + static_cast<int64>(pack_.distance());
        if (row_.id > after_)
            pack_.write(row_text_, key_text_, values_);
    });
    row_.row = row_text_;
    row_.key = key_text_;
    return any;
}

void OutboxScan::give_texts(std::string &row, std::string &key, std::vector<ValuePlace> &values) {
    if (row_.values == nullptr) {
        row = row_.row;
        key = row_.key;
        return;
    }
    row.swap(row_text_);
    key.swap(key_text_);
    values.swap(values_);
}

Datum OutboxScan::value(outbox::Column column) const {
    const int place = columns_[column];
    return slot_->tts_isnull[place] ? Datum{0} : slot_->tts_values[place];
}

void OutboxScan::read_slot() {
    auto text = [&](outbox::Column column) {
        return slot_->tts_isnull[columns_[column]] ? std::string_view() : utf8(value(column));
    };
    row_.id = DatumGetInt64(value(outbox::id));
    row_.place = outbox::place_of(slot_->tts_tid);
    row_.push = DatumGetInt64(value(outbox::push));
    row_.operation = text(outbox::operation);
    row_.deliver_as = DatumGetObjectId(value(outbox::deliver_as));
    row_.enqueued_at = DatumGetTimestampTz(value(outbox::enqueued_at));
    row_.attempts = DatumGetInt32(value(outbox::attempts));
    row_.sync = DatumGetInt32(value(outbox::sync));
    row_.next_attempt_at = DatumGetTimestampTz(value(outbox::next_attempt_at));
    row_.key = text(outbox::key);
    row_.row = text(outbox::row);
    row_.values = nullptr;
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

} // namespace reverse_etl
