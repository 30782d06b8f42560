#include "postgres/outbox/enqueue.h"

#include "postgres/audit_log/queued_pushes.h"
#include "postgres/border/border.h"
#include "postgres/outbox/level.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>

extern "C" {
#include "executor/tuptable.h"
#include "utils/memutils.h"
}

namespace reverse_etl {

Enqueue::Enqueue(const Destination &destination, const PushPlan &plan, const char *statement, Oid user,
                 MemoryContext context, int32 sync)
    : destination_(destination), plan_(plan), columns_(columns_of(destination, plan)),
      values_of_(destination, columns_), records_(values_of_, columns_),
      scratch_(pg_call([&] { return AllocSetContextCreate(context, "reverse_etl row", ALLOCSET_SMALL_SIZES); })),
      push_id_(queued_push(destination, plan.operation, statement)),
      writer_({destination.relation, operation_name(plan.operation), GetUserId(), user, push_id_, sync}, context),
      nulls_(std::make_unique<bool[]>(columns_.size())) {
    values_.resize(columns_.size());
    if (!plan.address.empty())
        return;
    for (const std::string &field : destination.object.key) {
        auto column = std::find_if(columns_.begin(), columns_.end(),
                                   [&](const DestinationColumn *candidate) { return candidate->field == field; });
        if (column == columns_.end()) {
            key_.clear();
            return;
        }
        key_.push_back(static_cast<std::size_t>(column - columns_.begin()));
    }
}

bool Enqueue::add(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    gather_row(plan_, slot, address, address_nulls, values_.data(), nulls_.get());
    rows_++;
    try {
        write();
    } catch (const ValueRefused &refusal) {
        reject(refusal.what());
        return false;
    }
    return true;
}

std::int64_t Enqueue::add_or_refuse(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    gather_row(plan_, slot, address, address_nulls, values_.data(), nulls_.get());
    std::int64_t id = write();
    rows_++;
    return id;
}

/// Encodes the row that was gathered and writes it. Throws ValueRefused.
std::int64_t Enqueue::write() {
    values_of_.set(values_.data(), nulls_.get());
    std::size_t written = plan_.written.size();
    row_text_.clear();
    key_text_.clear();
    records_.encode(0, written, row_text_, scratch_);
    if (!plan_.address.empty())
        records_.encode(written, columns_.size(), key_text_, scratch_);
    else if (!key_.empty())
        key_text_ = key_of(row_text_);
    bytes_ += key_text_.size() + row_text_.size();
    return writer_.add(key_text_, row_text_);
}

/// The columns of the row that name it, as an object of their own.
std::string Enqueue::key_of(const std::string &row) const {
    std::string key = "{";
    for (std::size_t column : key_) {
        auto [begin, end] = records_.member(column);
        if (key.size() > 1)
            key += ',';
        key.append(row, begin, end - begin);
    }
    return key + '}';
}

void Enqueue::reject(const std::string &reason) {
    std::size_t written = plan_.written.size();
    RejectedRow rejected{rows_, "", "", reason, 0};
    records_.encode_anyhow(values_.data(), nulls_.get(), 0, written, rejected.row, scratch_);
    if (!plan_.address.empty())
        records_.encode_anyhow(values_.data(), nulls_.get(), written, columns_.size(), rejected.key, scratch_);
    report_.add("Row " + std::to_string(rows_) + ": " + reason);
    rejections_.push_back(std::move(rejected));
}

void Enqueue::finish() {
    writer_.finish();
    if (rows_ > 0)
        add_to_queued_push(push_id_, rows_, report_.rows(), rejected_rows_json(rejections_));
    if (std::uint64_t queued = rows_ - report_.rows(); queued > 0) {
        check_outbox_level(destination_, queued, bytes_);
        wake_worker_at_commit();
        // After the wake-up was asked for, so that it is done before it.
        raise_outbox_level_at_commit(destination_.relation, queued, bytes_);
    }
    report_.warn(destination_.name, rows_);
}

} // namespace reverse_etl
