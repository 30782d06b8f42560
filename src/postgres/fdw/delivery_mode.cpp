#include "postgres/fdw/delivery_mode.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/border/settings.h"
#include "postgres/destinations/preview.h"
#include "postgres/fdw/statement_hooks.h"

extern "C" {
#include "access/xact.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tcop/pquery.h"
}

namespace reverse_etl {

namespace {

int queue_everything = 0;
LocalTransactionId noted_in = InvalidLocalTransactionId;

/// Whether all that the portal's statements change is at destinations. A rule adds statements, a WITH changes tables of
/// its own, rows are routed to partitions: a constraint there can fail as late as at COMMIT.
bool changes_only_destinations(const List *statements) {
    ListCell *cell, *index;
    foreach (cell, statements) {
        auto *statement = lfirst_node(PlannedStmt, cell);
        if (statement->utilityStmt != nullptr && list_length(statements) > 1)
            return false;
        foreach (index, statement->resultRelations)
            if (!is_destination(rt_fetch(lfirst_int(index), statement->rtable)->relid))
                return false;
    }
    return true;
}

/// Whether nothing but the outcome at the destination decides on the statement: it ends with its rows, and commits.
bool stands_alone(const ResultRelInfo *relation, const EState *estate) {
    return is_own_statement(estate) && relation->ri_RootResultRelInfo == nullptr &&
           changes_only_destinations(ActivePortal->stmts) && !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

/// Once a transaction: the rows do not leave when a reader of the statement might think.
void note_queueing(const std::string &destination) {
    if (noted_in == compat::local_transaction())
        return;
    noted_in = compat::local_transaction();
    pg_call([&] {
        ereport(NOTICE,
                (errmsg("rows for \"%s\" are queued, and leave when the transaction commits", destination),
                 errdetail("Within a transaction block, within another statement, or beside other changes they could "
                           "still be rolled back.")));
    });
}

/// Likewise.
void note_job(const std::string &destination) {
    if (noted_in == compat::local_transaction())
        return;
    noted_in = compat::local_transaction();
    pg_call([&] {
        ereport(NOTICE, (errmsg("rows for \"%s\" are queued, and leave in a job", destination),
                         errdetail("The destination sees to them in its own time."),
                         errhint("CALL reverse_etl.wait(...) returns when they have their outcomes.")));
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

bool is_queued(const Destination &destination, OperationKind operation, const ResultRelInfo *relation, EState *estate) {
    const bool has_only_job = destination.operation(operation).has_only_job();
    if (Preview::current() != nullptr && has_only_job)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "rows for \"" + destination.name + "\" leave in a job, which a preview does not show");
    if (Preview::current() != nullptr)
        return false;
    if (queue_everything > 0 || destination.delivery == DeliveryMode::queued)
        return true;
    bool in_block = IsTransactionBlock() || compat::is_pipelining();
    if (has_only_job) {
        if (destination.delivery == DeliveryMode::immediate)
            throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "cannot deliver to \"" + destination.name + "\" immediately",
                        "It takes rows in jobs, which it sees to in its own time.",
                        "Set the option \"delivery\" to auto or queued.");
        note_job(destination.name);
        return true;
    }
    if (destination.delivery == DeliveryMode::automatic) {
        if (in_block || !pg_call([&] { return stands_alone(relation, estate); })) {
            note_queueing(destination.name);
            return true;
        }
    } else if (in_block && !settings::allow_immediate_in_transaction)
        throw Error(ERRCODE_ACTIVE_SQL_TRANSACTION,
                    "cannot deliver to \"" + destination.name + "\" immediately inside a transaction block",
                    "A rollback would not take back the rows that were sent.",
                    "Run the statement on its own, set the option \"delivery\" to auto or queued, or set "
                    "\"reverse_etl.allow_immediate_in_transaction\" to on.");
    // The first statement of a pipeline cannot know that it is one. It does not wait for the others to commit.
    if (!in_block)
        MyXactFlags |= XACT_FLAGS_NEEDIMMEDIATECOMMIT;
    return false;
}

} // namespace reverse_etl
