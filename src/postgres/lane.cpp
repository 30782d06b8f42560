#include "postgres/lane.h"

#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/session.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace reverse_etl {

namespace {

OperationKind kind_of(const std::string &operation) {
    for (OperationKind kind :
         {OperationKind::create, OperationKind::update, OperationKind::upsert, OperationKind::remove})
        if (operation == operation_name(kind))
            return kind;
    throw Error(ERRCODE_DATA_CORRUPTED, "the outbox has no operation \"" + operation + "\"");
}

AttrNumber attnum_of(const Destination &destination, const std::string &name) {
    for (const DestinationColumn &column : destination.columns)
        if (column.name == name)
            return column.attnum;
    throw Error(ERRCODE_UNDEFINED_COLUMN,
                "column \"" + name + "\" of \"" + destination.name + "\" does not exist any more");
}

PushPlan plan_of(const Destination &destination, const LaneKey &key) {
    PushPlan plan;
    plan.operation = kind_of(key.operation);
    for (std::size_t i = 0; i < key.names.size(); i++)
        (i < key.of_row ? plan.written : plan.address).push_back(attnum_of(destination, key.names[i]));
    // An upsert's key stands in the row.
    if (plan.operation == OperationKind::upsert || plan.operation == OperationKind::create)
        plan.address.clear();
    return plan;
}

/// The rights that the statement needed are needed still. A column that has a default may be written without a right
/// to it, as in the statement.
void check_rights(const Destination &destination, const PushPlan &plan, Oid role) {
    std::string missing = pg_call([&]() -> const char * {
        if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
            return "the role does not exist any more";
        if (compat::schema_aclcheck(get_rel_namespace(destination.relation), role) != ACLCHECK_OK)
            return "the role has no USAGE on the schema any more";
        bool deletes = plan.operation == OperationKind::remove;
        bool updates = plan.operation == OperationKind::update;
        AclMode right = deletes ? ACL_DELETE : updates ? ACL_UPDATE : ACL_INSERT;
        if (pg_class_aclcheck(destination.relation, role, right) == ACLCHECK_OK)
            return "";
        if (deletes)
            return "the role has no DELETE on the table any more";
        Relation table = table_open(destination.relation, AccessShareLock);
        bool lacks = false;
        for (AttrNumber attnum : plan.written)
            lacks = lacks || (!TupleDescAttr(RelationGetDescr(table), attnum - 1)->atthasdef &&
                              pg_attribute_aclcheck(destination.relation, attnum, role, right) != ACLCHECK_OK);
        table_close(table, AccessShareLock);
        return !lacks    ? ""
               : updates ? "the role has no UPDATE on the table any more"
                         : "the role has no INSERT on the table any more";
    });
    if (!missing.empty())
        throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE, missing);
}

Policy policy_of(const Destination &destination, Oid role, const std::string &identity) {
    Policy policy = destination.policy;
    policy.account = destination.account(role);
    policy.idempotency_scope = identity;
    return policy;
}

/// A trigger names rows by their key, also where the destination wants its id: better no request than one that names
/// nothing.
void check_address(const Destination &destination, const PushPlan &plan) {
    if (plan.address.empty() || destination.operation(plan.operation).by_key)
        return;
    const DestinationColumn *id = destination.id_column();
    if (id == nullptr || plan.address.size() != 1 || plan.address.front() != id->attnum)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    std::string("the destination knows rows to ") + operation_name(plan.operation) + " by its id only");
}

PushPlan checked_plan_of(const Destination &destination, const LaneKey &key) {
    PushPlan plan = plan_of(destination, key);
    check_address(destination, plan);
    check_rights(destination, plan, key.role);
    return plan;
}

} // namespace

Lane::Lane(std::shared_ptr<const Destination> destination, const LaneKey &key, OutcomeSink &sink,
           const std::string &identity)
    : destination_(std::move(destination)), operation_(compile(*destination_, checked_plan_of(*destination_, key))),
      writer_(operation_, null_as(*destination_, kind_of(key.operation))), sink_(sink),
      authenticator_(destination_->authenticator(key.role)), policy_(policy_of(*destination_, key.role, identity)),
      activity_(destination_->relation, kind_of(key.operation), key.role),
      dispatcher_(std::make_unique<Dispatcher>(operation_, session::transport(), session::waiter(),
                                               session::rate_limiter(), *authenticator_, policy_)),
      delivery_(std::make_unique<Delivery>(operation_, *dispatcher_, sink, false, policy_.max_attempts)) {
    dispatcher_->report_to(activity_);
}

void Lane::submit(std::vector<Batch> batches) {
    activity_.begin();
    for (const Batch &batch : batches)
        activity_.seen(batch.rows().size());
    delivery_->submit(std::move(batches));
}

bool Lane::take(const Finished &finished) {
    bool is_own = delivery_->take(finished);
    if (jobs() == 0)
        activity_.end();
    return is_own;
}

std::deque<std::unique_ptr<Job>> Lane::withdraw() {
    std::deque<std::unique_ptr<Job>> unsent = dispatcher_->withdraw();
    if (jobs() == 0)
        activity_.end();
    return unsent;
}

std::vector<Batch> Lane::make_batches(KeyQueue &rows, int lane, Clock::time_point now) {
    std::vector<Batch> batches;
    Batch batch(operation_.frame());
    std::int64_t together = 0;
    std::size_t most_bytes = operation_.spec().bytes;
    while (const QueuedRow *next = rows.next(lane, now)) {
        // What was one request stays one.
        if (!batch.rows().empty() && next->batch != together)
            break;
        together = next->batch;
        QueuedRow *row = rows.take(lane, now);
        if (!write(*row, batch))
            continue;
        if (batch.bytes() <= most_bytes) {
            if (together == 0 && batch.rows().size() >= operation_.rows_per_batch())
                break;
            continue;
        }
        Batch alone = batch.rows().size() > 1 ? batch.split_last() : std::exchange(batch, Batch(operation_.frame()));
        if (alone.bytes() > most_bytes) {
            sink_.rejected(row->id,
                           "the row makes a request of " + std::to_string(alone.bytes()) +
                               " bytes, the destination takes " + std::to_string(most_bytes),
                           0);
            continue;
        }
        batches.push_back(std::exchange(batch, std::move(alone)));
        break;
    }
    if (!batch.rows().empty())
        batches.push_back(std::move(batch));
    return batches;
}

bool Lane::write(const QueuedRow &row, Batch &batch) {
    std::string reason;
    std::string &out = batch.begin_row();
    try {
        values_.read(row.row, row.key);
        writer_.write(values_, row.id, batch, out);
        batch.end_row(row.id);
        return true;
    } catch (const std::exception &refusal) {
        reason = refusal.what();
    }
    batch.drop_row();
    sink_.rejected(row.id, reason, 0);
    return false;
}

} // namespace reverse_etl
