#include "postgres/module/transaction_end.h"

#include "postgres/audit_log/queued_pushes.h"
#include "postgres/outbox/level.h"
#include "postgres/shared/worker_control.h"

extern "C" {
#include "utils/resowner.h"
}

namespace reverse_etl {

namespace {

/// In this order: what is put on record may still fail the transaction, so the worker is started after it; the rows are
/// counted as waiting before the worker is woken for them.
void at_transaction_event(XactEvent event, void *) {
    queued_pushes_at(event);
    start_worker_at(event);
    outbox_level_at(event);
}

void at_subtransaction_event(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent, void *) {
    queued_pushes_at(event, subtransaction);
    outbox_level_at(event, subtransaction, parent);
}

void at_resource_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *) {
    if (phase == RESOURCE_RELEASE_AFTER_LOCKS && is_top_level)
        wake_worker_after_locks(is_commit);
}

} // namespace

void register_transaction_end() {
    RegisterXactCallback(at_transaction_event, nullptr);
    RegisterSubXactCallback(at_subtransaction_event, nullptr);
    RegisterResourceReleaseCallback(at_resource_release, nullptr);
}

} // namespace reverse_etl
