#include "postgres/lane.h"

#include "engine/json_text.h"
#include "postgres/border.h"
#include "postgres/compat.h"
#include "postgres/session.h"

#include <algorithm>
#include <utility>

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
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

/// The key by which rows are named where the operation wants the destination's id; nullptr where they are named as it
/// wants. Better no request than one that names nothing.
const DestinationColumn *key_to_look_up(const Destination &destination, const PushPlan &plan) {
    if (plan.address.empty() || destination.operation(plan.operation).by_key)
        return nullptr;
    std::vector<const DestinationColumn *> address;
    for (AttrNumber attnum : plan.address)
        address.push_back(destination.column(attnum));
    if (address.size() == 1 && address.front() == destination.id_column())
        return nullptr;
    if (!destination.finds_id_by_key() || address != destination.key_columns())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, std::string("the destination knows rows to ") +
                                                       operation_name(plan.operation) +
                                                       " by its id only, and cannot look it up");
    return address.front();
}

/// A sync says what the row is to be: a NULL that came later has to be sent, too. Rows that are created have nothing to
/// clear.
NullAs null_as_of(const Destination &destination, const LaneKey &key) {
    OperationKind kind = kind_of(key.operation);
    return null_as(destination, key.of_sync && kind == OperationKind::upsert ? OperationKind::update : kind);
}

PushPlan checked_plan_of(const Destination &destination, const LaneKey &key) {
    PushPlan plan = plan_of(destination, key);
    check_rights(destination, plan, key.role);
    return plan;
}

/// The operation with the destination's id in place of the key.
CompiledOperation compile_by_id(const Destination &destination, const PushPlan &plan) {
    std::vector<StatementColumn> columns;
    for (AttrNumber attnum : plan.written)
        columns.push_back({destination.column(attnum)->field, true});
    columns.push_back({destination.object.id, false});
    int id = static_cast<int>(plan.written.size());
    return CompiledOperation(destination.object, destination.operation(plan.operation), std::move(columns), id, {});
}

bool is_number_or_time(Oid type) {
    for (Oid one : {NUMERICOID, FLOAT4OID, FLOAT8OID, DATEOID, TIMESTAMPOID, TIMESTAMPTZOID})
        if (type == one)
            return true;
    return false;
}

CompiledOperation compile_for(const Destination &destination, const PushPlan &plan) {
    return key_to_look_up(destination, plan) == nullptr ? compile(destination, plan) : compile_by_id(destination, plan);
}

} // namespace

Lane::Lane(std::shared_ptr<const Destination> destination, const LaneKey &key, KeyQueue &rows, OutcomeSink &sink,
           const std::string &identity)
    : destination_(std::move(destination)), operation_(compile_for(*destination_, checked_plan_of(*destination_, key))),
      writer_(operation_, null_as_of(*destination_, key)), rows_(rows), sink_(sink),
      authenticator_(destination_->authenticator(key.role)), policy_(policy_of(*destination_, key.role, identity)),
      activity_(destination_->relation, kind_of(key.operation), key.role),
      dispatcher_(std::make_unique<Dispatcher>(operation_, session::transport(), session::waiter(),
                                               session::rate_limiter(), *authenticator_, policy_)),
      delivery_(std::make_unique<Delivery>(operation_, *dispatcher_, sink, false, policy_.max_attempts)) {
    dispatcher_->report_to(activity_);
    for (const DestinationColumn &column : destination_->columns)
        if (is_number_or_time(column.type))
            numbers_.insert(column.name);
    if (const DestinationColumn *looked_up = key_to_look_up(*destination_, plan_of(*destination_, key)))
        lookup_ = std::make_unique<Lookup>(*this, *looked_up);
}

Lane::Lookup::Lookup(Lane &lane, const DestinationColumn &key)
    : operation(lane.destination_->object, lane.destination_->operation(OperationKind::lookup),
                {{key.field, false, key.compare}}, 0, {lane.destination_->object.id, key.field}),
      writer(operation, NullAs::null), dispatcher(operation, session::transport(), session::waiter(),
                                                  session::rate_limiter(), *lane.authenticator_, lane.policy_),
      lookup(operation, dispatcher, lane.sink_,
             [&lane](std::uint64_t number, const std::string &id) { lane.found(number, id); }),
      found(lane.operation_.frame()) {
    dispatcher.report_to(lane.activity_);
}

std::vector<Batch> Lane::make_batches(int lane, Clock::time_point now) {
    const CompiledOperation &operation = lookup_ == nullptr ? operation_ : lookup_->operation;
    std::vector<Batch> batches;
    Batch batch(operation.frame());
    std::int64_t together = 0;
    while (const QueuedRow *next = rows_.next(lane, now)) {
        // What was one request stays one, and is one that can be made again: the rows are read again in their order.
        if (!batch.rows().empty() && (next->batch != together || next->id < batch.rows().back().number))
            break;
        together = next->batch;
        QueuedRow *row = rows_.take(lane, now);
        bool written = lookup_ == nullptr ? write(row->id, row->row, row->key, writer_, batch)
                                          : write(row->id, "", row->key, lookup_->writer, batch);
        if (!written)
            continue;
        if (std::optional<Batch> full = cut(batch, operation)) {
            batches.push_back(std::move(*full));
            break;
        }
        if (together == 0 && batch.rows().size() >= operation.rows_per_batch())
            break;
    }
    if (!batch.rows().empty())
        batches.push_back(std::move(batch));
    return batches;
}

bool Lane::write(std::uint64_t number, std::string_view row, std::string_view key, RowWriter &writer, Batch &batch) {
    std::string reason;
    std::string &out = batch.begin_row();
    try {
        values_.read(row, key);
        check_numbers();
        writer.write(values_, number, batch, out);
        batch.end_row(number);
        return true;
    } catch (const std::exception &refusal) {
        reason = refusal.what();
    }
    batch.drop_row();
    sink_.rejected(number, reason, 0);
    return false;
}

/// A rejected row that is queued again holds as a text what could not be sent. It still cannot.
void Lane::check_numbers() const {
    for (std::size_t i = 0; !numbers_.empty() && i < values_.names().size(); i++) {
        std::string text;
        values_.text(static_cast<int>(i), text);
        std::string_view word = text.starts_with('-') ? std::string_view(text).substr(1) : text;
        if ((word == "NaN" || word == "Infinity" || word == "infinity") && numbers_.contains(values_.names()[i]))
            throw ValueRefused("value of column \"" + values_.names()[i] +
                               "\" is infinite or NaN, which JSON cannot express");
    }
}

/// The batch that is full, where its last row makes it too large and begins another.
std::optional<Batch> Lane::cut(Batch &batch, const CompiledOperation &operation) {
    std::size_t most_bytes = operation.spec().bytes;
    if (batch.bytes() <= most_bytes)
        return std::nullopt;
    Batch last = batch.rows().size() > 1 ? batch.split_last() : std::exchange(batch, Batch(operation.frame()));
    if (last.bytes() <= most_bytes)
        return std::exchange(batch, std::move(last));
    sink_.rejected(last.rows().front().number,
                   "the row makes a request of " + std::to_string(last.bytes()) + " bytes, the destination takes " +
                       std::to_string(most_bytes),
                   0);
    return std::nullopt;
}

void Lane::submit(std::vector<Batch> batches) {
    activity_.begin();
    for (const Batch &batch : batches)
        activity_.seen(batch.rows().size());
    if (lookup_ == nullptr)
        delivery_->submit(std::move(batches));
    else
        lookup_->lookup.submit(std::move(batches));
}

void Lane::found(std::uint64_t number, const std::string &id) {
    Batch &batch = lookup_->found;
    std::string name;
    append_json_string(name, destination_->object.id);
    if (!write(number, rows_.row(number).row, "{" + name + ":" + id + "}", writer_, batch))
        return;
    if (std::optional<Batch> full = cut(batch, operation_))
        submit_found(std::move(*full));
    if (batch.rows().size() >= operation_.rows_per_batch())
        submit_found(std::exchange(batch, Batch(operation_.frame())));
}

void Lane::submit_found(Batch batch) {
    std::vector<Batch> batches;
    batches.push_back(std::move(batch));
    delivery_->submit(std::move(batches));
}

Clock::time_point Lane::start_ready() {
    if (lookup_ == nullptr)
        return delivery_->start_ready();
    if (!lookup_->found.rows().empty() && lookup_->dispatcher.jobs() == 0)
        submit_found(std::exchange(lookup_->found, Batch(operation_.frame())));
    return std::min(lookup_->lookup.start_ready(), delivery_->start_ready());
}

bool Lane::take(const Finished &finished) {
    bool is_own = delivery_->take(finished) || (lookup_ != nullptr && lookup_->lookup.take(finished));
    if (jobs() == 0)
        activity_.end();
    return is_own;
}

std::deque<std::unique_ptr<Job>> Lane::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = dispatcher_->withdraw();
    if (lookup_ != nullptr) {
        for (std::unique_ptr<Job> &job : lookup_->dispatcher.withdraw())
            jobs.push_back(std::move(job));
        if (!lookup_->found.rows().empty())
            jobs.push_back(std::make_unique<Job>(std::exchange(lookup_->found, Batch(operation_.frame()))));
    }
    if (this->jobs() == 0)
        activity_.end();
    return jobs;
}

std::size_t Lane::jobs() const {
    std::size_t jobs = dispatcher_->jobs();
    if (lookup_ != nullptr)
        jobs += lookup_->dispatcher.jobs() + (lookup_->found.rows().empty() ? 0 : 1);
    return jobs;
}

std::size_t Lane::jobs_in_flight() const {
    return dispatcher_->jobs_in_flight() + (lookup_ == nullptr ? 0 : lookup_->dispatcher.jobs_in_flight());
}

} // namespace reverse_etl
