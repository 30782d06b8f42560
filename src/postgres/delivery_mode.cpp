#include "postgres/delivery_mode.h"

#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/settings.h"

extern "C" {
#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
}

namespace reverse_etl {

namespace {

int queue_everything = 0;
LocalTransactionId noted_in = InvalidLocalTransactionId;

/// Whether the statement runs within another one: in a function, a trigger, a DO block or a procedure. What follows it
/// there can still fail and take it back.
bool is_nested(EState *estate) {
    if (ActivePortal == nullptr)
        return false;
    ListCell *cell;
    foreach (cell, ActivePortal->stmts) {
        auto *statement = lfirst_node(PlannedStmt, cell);
        if (statement == estate->es_plannedstmt)
            return false;
        Node *utility = statement->utilityStmt;
        if (utility != nullptr && (IsA(utility, CopyStmt) || IsA(utility, ExplainStmt) || IsA(utility, ExecuteStmt)))
            return false;
    }
    return true;
}

/// Once a transaction: the rows do not leave when a reader of the statement might think.
void note_queueing(const std::string &destination) {
    if (noted_in == compat::local_transaction())
        return;
    noted_in = compat::local_transaction();
    pg_call([&] {
        ereport(NOTICE,
                (errmsg("rows for \"%s\" are queued, and leave when the transaction commits", destination),
                 errdetail("Within a transaction block or another statement they could still be rolled back.")));
    });
}

} // namespace

QueueEverything::QueueEverything() {
    queue_everything++;
}

QueueEverything::~QueueEverything() {
    queue_everything--;
}

bool QueueEverything::is_in_force() {
    return queue_everything > 0;
}

bool is_queued(const Destination &destination, EState *estate) {
    if (queue_everything > 0 || destination.delivery == DeliveryMode::queued)
        return true;
    bool in_block = pg_call([] { return IsTransactionBlock(); });
    if (destination.delivery == DeliveryMode::automatic) {
        if (!in_block && !is_nested(estate))
            return false;
        note_queueing(destination.name);
        return true;
    }
    if (in_block && !settings::allow_immediate_in_transaction)
        throw Error(ERRCODE_ACTIVE_SQL_TRANSACTION,
                    "cannot deliver to \"" + destination.name + "\" immediately inside a transaction block",
                    "A rollback would not take back the rows that were sent.",
                    "Run the statement on its own, set the option \"delivery\" to auto or queued, or set "
                    "\"reverse_etl.allow_immediate_in_transaction\" to on.");
    return false;
}

} // namespace reverse_etl
