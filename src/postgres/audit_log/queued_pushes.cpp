#include "postgres/audit_log/queued_pushes.h"

#include "postgres/audit_log/push_record.h"
#include "postgres/audit_log/rejected_rows.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
}

namespace reverse_etl {

namespace {

struct QueuedPush {
    Oid destination, role;
    SubTransactionId subtransaction; ///< what is rolled back with it is no part of the push
    std::int64_t id;
    PushRecord record;
    std::uint64_t rows, rejected;
};

std::vector<QueuedPush> &pushes() {
    static std::vector<QueuedPush> of_this_transaction;
    return of_this_transaction;
}

void put_on_record() {
    bool any = std::any_of(pushes().begin(), pushes().end(), [](const QueuedPush &push) { return push.rows > 0; });
    if (!any)
        return;
    pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    {
        sql::AsOwner as_owner;
        for (const QueuedPush &push : pushes()) {
            if (push.rows == 0)
                continue;
            PushResult result{};
            result.outcome = push.rows > push.rejected ? PushOutcome::queued : PushOutcome::completed;
            result.rows = push.rows;
            result.rejected = push.rejected;
            insert_push(push.id, push.record, result);
        }
    }
    pg_call([] { PopActiveSnapshot(); });
}

} // namespace

void queued_pushes_at(XactEvent event) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
        guard([] { put_on_record(); });
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
    case XACT_EVENT_ABORT:
        pushes().clear();
        break;
    default:
        break;
    }
}

/// Its own subtransactions, which ended before it, have greater numbers.
void queued_pushes_at(SubXactEvent event, SubTransactionId subtransaction) {
    if (event == SUBXACT_EVENT_ABORT_SUB)
        std::erase_if(pushes(), [&](const QueuedPush &push) { return push.subtransaction >= subtransaction; });
}

std::int64_t queued_push(const Destination &destination, OperationKind operation, const char *statement) {
    Oid role = GetUserId();
    SubTransactionId subtransaction = GetCurrentSubTransactionId();
    const char *operation_text = operation_name(operation);
    for (const QueuedPush &push : pushes())
        if (push.destination == destination.relation && push.role == role && push.subtransaction == subtransaction &&
            std::strcmp(push.record.operation, operation_text) == 0 &&
            std::strcmp(push.record.statement, statement) == 0)
            return push.id;
    PushRecord record = make_push_record(destination, operation_text, statement, "queued");
    pushes().push_back({destination.relation, role, subtransaction, draw_push_id(), record, 0, 0});
    return pushes().back().id;
}

void add_to_queued_push(std::int64_t id, std::uint64_t rows, std::uint64_t rejected,
                        const std::vector<std::string> &rejected_rows) {
    auto push = std::find_if(pushes().begin(), pushes().end(), [&](const QueuedPush &one) { return one.id == id; });
    push->rows += rows;
    push->rejected += rejected;
    if (rejected_rows.empty())
        return;
    PushRecord record = push->record;
    sql::AsOwner as_owner;
    for (const std::string &text : rejected_rows)
        insert_rejected_rows(id, record, text);
}

} // namespace reverse_etl
