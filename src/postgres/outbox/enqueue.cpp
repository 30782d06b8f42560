#include "postgres/outbox/enqueue.h"

#include "postgres/audit_log/queued_pushes.h"
#include "postgres/border/border.h"
#include "postgres/outbox/level.h"
#include "postgres/shared/worker_control.h"

extern "C" {
#include "executor/tuptable.h"
#include "miscadmin.h"
}

namespace reverse_etl {

Enqueue::Enqueue(const Destination &destination, const PushPlan &plan, const char *statement, Oid user,
                 MemoryContext context, int32 sync)
    : destination_(destination), records_(destination, plan, context),
      push_id_(queued_push(destination, plan.operation, statement)),
      writer_({destination.relation, operation_name(plan.operation), GetUserId(), user, push_id_, sync}, context) {}

bool Enqueue::add(TupleTableSlot *slot, const Datum *address, const bool *address_nulls) {
    records_.gather(slot, address, address_nulls);
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
    records_.gather(slot, address, address_nulls);
    std::int64_t id = write();
    rows_++;
    return id;
}

/// Encodes the row that was gathered and writes it. Throws ValueRefused.
std::int64_t Enqueue::write() {
    records_.encode();
    bytes_ += records_.key().size() + records_.row().size();
    return writer_.add(records_.encoded());
}

void Enqueue::reject(const std::string &reason) {
    report_.add("Row " + std::to_string(rows_) + ": " + reason);
    rejections_.push_back({rows_, records_.key_anyhow(), records_.row_anyhow(), reason, 0});
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
