#include "postgres/syncs/row_store.h"

#include "postgres/audit_log/queued_pushes.h"
#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/outbox/writer.h"

#include <algorithm>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
}

namespace reverse_etl {

namespace {

/// What stands behind the columns of the key.
enum Column : int { hash, change, attempts, way, key_json, row_json, column_count };

TupleDesc describe(const std::vector<Oid> &key_types) {
    constexpr Oid rest[column_count] = {INT8OID, CHAROID, INT4OID, INT4OID, BYTEAOID, BYTEAOID};
    int keys = static_cast<int>(key_types.size());
    TupleDesc descriptor = CreateTemplateTupleDesc(keys + column_count);
    for (int i = 0; i < descriptor->natts; i++)
        TupleDescInitEntry(descriptor, static_cast<AttrNumber>(i + 1), nullptr,
                           i < keys ? key_types[i] : rest[i - keys], -1, 0);
    return descriptor;
}

/// A value that is as long as it is, in the context that is current. Call inside pg_call.
Datum bytes(const std::string &text) {
    auto *made = static_cast<bytea *>(palloc(VARHDRSZ + text.size()));
    SET_VARSIZE(made, VARHDRSZ + text.size());
    std::copy(text.begin(), text.end(), VARDATA(made));
    return PointerGetDatum(made);
}

std::string_view text_of(Datum value) {
    auto *stored = reinterpret_cast<const varlena *>(DatumGetPointer(value));
    return {VARDATA_ANY(stored), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(stored))};
}

} // namespace

LaneKey lane_of(const Destination &destination, const PushPlan &plan, Oid role) {
    LaneKey lane{operation_name(plan.operation), role, {}, plan.written.size(), true};
    for (const std::vector<AttrNumber> *columns : {&plan.written, &plan.address})
        for (AttrNumber column : *columns)
            lane.names.push_back(destination.column(column)->name);
    return lane;
}

RowStore::RowStore(const SyncDefinition &sync, std::int64_t run, const Destination &destination,
                   const SyncOperations &operations, MemoryContext context)
    : sync_(sync), destination_(&destination), of_filling_(context),
      filling_(std::make_unique<Filling>(sync, run, context)), one_way_(operations.take_all_alike()),
      values_(sync.key.size() + column_count), nulls_(std::make_unique<bool[]>(sync.key.size() + column_count)) {
    const PushPlan *plans[ways_count] = {&operations.added, &operations.changed,
                                         operations.removed ? &*operations.removed : nullptr};
    for (int i = 0; i < ways_count; i++)
        if (plans[i] != nullptr) {
            ways_[i].plan = *plans[i];
            ways_[i].lane = lane_of(destination, *plans[i], sync.owner);
        }
    pg_call([&] {
        context_ = AllocSetContextCreate(TopMemoryContext, "reverse_etl rows of a run", ALLOCSET_DEFAULT_SIZES);
        MemoryContext caller = MemoryContextSwitchTo(context_);
        burst_context_ = AllocSetContextCreate(context_, "reverse_etl burst", ALLOCSET_DEFAULT_SIZES);
        descriptor_ = describe(sync.key_types);
        slot_ = MakeSingleTupleTableSlot(descriptor_, &TTSOpsMinimalTuple);
        rows_ = tuplestore_begin_heap(false, true, work_mem);
        MemoryContextSwitchTo(caller);
    });
}

RowStore::~RowStore() {
    if (rows_ != nullptr)
        tuplestore_end(rows_);
    if (slot_ != nullptr)
        ExecDropSingleTupleTableSlot(slot_);
    MemoryContextDelete(context_);
}

PlanRecords &RowStore::records_of(int way) {
    std::unique_ptr<PlanRecords> &records = filling_->records[way];
    if (records == nullptr) {
        const PushPlan &plan = ways_[way].plan;
        records = std::make_unique<PlanRecords>(*destination_, plan, of_filling_);
        ways_[way].push = queued_push(*destination_, plan.operation, "SYNC");
        ways_[way].record = make_push_record(*destination_, operation_name(plan.operation), "SYNC", "queued");
    }
    return *records;
}

std::string RowStore::send(const SyncRow &row, TupleTableSlot *made) {
    int to = row.change == SyncRow::Change::removed             ? removed
             : row.change == SyncRow::Change::added || one_way_ ? added
                                                                : changed;
    PlanRecords &records = records_of(to);
    RowAddress address(ways_[to].plan, made);
    records.gather(made, address.values, address.nulls);
    try {
        records.encode();
    } catch (const ValueRefused &refusal) {
        return refusal.what();
    }
    std::size_t keys = sync_.key.size();
    std::copy_n(row.key, keys, values_.begin());
    std::fill_n(nulls_.get(), values_.size(), false);
    nulls_[keys + hash] = row.change == SyncRow::Change::removed;
    pg_call([&] {
        MemoryContext caller = MemoryContextSwitchTo(burst_context_);
        Datum *rest = values_.data() + keys;
        rest[hash] = row.hash;
        rest[change] = CharGetDatum(static_cast<char>(row.change));
        rest[attempts] = Int32GetDatum(row.attempts);
        rest[way] = Int32GetDatum(to);
        rest[key_json] = bytes(records.key());
        rest[row_json] = bytes(records.row());
        tuplestore_putvalues(rows_, descriptor_, values_.data(), nulls_.get());
        MemoryContextSwitchTo(caller);
        MemoryContextReset(burst_context_);
    });
    ways_[to].rows++;
    rows_put_++;
    return "";
}

std::vector<std::int64_t> RowStore::finish() {
    filling_->tables.finish();
    filling_.reset();
    std::vector<std::int64_t> pushes;
    for (const Way &one : ways_)
        if (one.push != 0) {
            add_to_queued_push(one.push, one.rows, 0, {});
            pushes.push_back(one.push);
        }
    return pushes;
}

void RowStore::draw_numbers() {
    for (std::uint64_t i = numbers_.size() * TableWriter::most_rows; i < rows_put_; i += TableWriter::most_rows)
        numbers_.push_back(pg_call([] { return OutboxWriter::draw_numbers(); }));
}

std::int64_t RowStore::number_in_outbox(std::uint64_t nth) const {
    return numbers_[(nth - 1) / TableWriter::most_rows] + static_cast<std::int64_t>((nth - 1) % TableWriter::most_rows);
}

const std::vector<StraightRow> &RowStore::next_burst(std::size_t most_rows, std::size_t most_bytes) {
    std::size_t keys = sync_.key.size(), size = 0;
    first_of_burst_ += burst_.size();
    burst_.clear();
    keys_.clear();
    keys_.reserve(most_rows * keys); // rows point into it
    pg_call([&] {
        MemoryContextReset(burst_context_);
        MemoryContext caller = MemoryContextSwitchTo(burst_context_);
        while (!at_end_ && burst_.size() < most_rows && size < most_bytes) {
            at_end_ = !tuplestore_gettupleslot(rows_, true, false, slot_);
            if (at_end_)
                break;
            MinimalTuple kept = ExecCopySlotMinimalTuple(slot_);
            size += kept->t_len;
            ExecStoreMinimalTuple(kept, slot_, false);
            slot_getallattrs(slot_);
            const Datum *rest = slot_->tts_values + keys;
            StraightRow one;
            one.row.key = keys_.data() + keys_.size();
            keys_.insert(keys_.end(), slot_->tts_values, slot_->tts_values + keys);
            one.row.change = static_cast<SyncRow::Change>(DatumGetChar(rest[change]));
            one.row.hash = rest[hash];
            one.row.attempts = DatumGetInt32(rest[attempts]);
            one.way = DatumGetInt32(rest[way]);
            one.key_json = text_of(rest[key_json]);
            one.row_json = text_of(rest[row_json]);
            burst_.push_back(one);
        }
        MemoryContextSwitchTo(caller);
    });
    return burst_;
}

} // namespace reverse_etl
