#include "postgres/outbox/open_lane.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/destinations/push_plan.h"
#include "postgres/destinations/session.h"
#include "postgres/destinations/write_rights.h"
#include "postgres/shared/activity.h"

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
    if (const DestinationColumn *column = destination.column_named(name))
        return column->attnum;
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

/// The rights that the statement needed are needed still. A column that has a
/// default may be written without a right to it, as in the statement.
void check_rights(const Destination &destination, const PushPlan &plan, Oid role) {
    std::string missing = pg_call([&]() -> const char * {
        if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
            return "the role does not exist any more";
        if (compat::schema_aclcheck(get_rel_namespace(destination.relation), role) != ACLCHECK_OK)
            return "the role has no USAGE on the schema any more";
        return "";
    });
    if (missing.empty())
        if (std::optional<MissingRight> right = missing_right(destination, plan, role, true))
            missing = std::string("the role has no ") + right->right + " on the table any more";
    if (!missing.empty())
        throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE, missing);
}

Policy policy_of(const Destination &destination, Oid role, const std::string &identity) {
    Policy policy = destination.policy;
    policy.account = destination.account(role);
    policy.idempotency_scope = identity;
    return policy;
}

/// Whether rows are named by their key where the operation wants the
/// destination's id. Better no request than one that names nothing.
bool names_by_key_to_look_up(const Destination &destination, const PushPlan &plan) {
    if (plan.address.empty() || destination.operation(plan.operation).by_key)
        return false;
    std::vector<const DestinationColumn *> address;
    for (AttrNumber attnum : plan.address)
        address.push_back(destination.column(attnum));
    if (address.size() == 1 && address.front() == destination.id_column())
        return false;
    if (!destination.finds_id_by_key() || address != destination.key_columns())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, std::string("the destination knows rows to ") +
                                                       operation_name(plan.operation) +
                                                       " by its id only, and cannot look it up");
    return true;
}

/// A sync says what the row is to be: a NULL that came later has to be sent,
/// too. Rows that are created have nothing to clear.
NullAs null_as_of(const Destination &destination, const LaneKey &key) {
    OperationKind kind = kind_of(key.operation);
    return null_as(destination, key.of_sync && kind == OperationKind::upsert ? OperationKind::update : kind);
}

bool is_number_or_time(Oid type) {
    for (Oid one : {NUMERICOID, FLOAT4OID, FLOAT8OID, DATEOID, TIMESTAMPOID, TIMESTAMPTZOID})
        if (type == one)
            return true;
    return false;
}

std::set<std::string> numbers_of(const Destination &destination) {
    std::set<std::string> numbers;
    for (const DestinationColumn &column : destination.columns)
        if (is_number_or_time(column.type))
            numbers.insert(column.name);
    return numbers;
}

PushPlan checked_plan_of(const Destination &destination, const LaneKey &key) {
    PushPlan plan = plan_of(destination, key);
    check_rights(destination, plan, key.role);
    return plan;
}

} // namespace

Route open_route(std::shared_ptr<const Destination> destination, const LaneKey &key, const std::string &identity) {
    const PushPlan plan = checked_plan_of(*destination, key);
    const NullAs null_as = null_as_of(*destination, key);
    const bool finds_ids = names_by_key_to_look_up(*destination, plan);
    if (finds_ids && destination->operation(plan.operation).has_only_job())
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "rows of a job are named as the destination names them, and not by a "
                    "key whose id is to be looked up");
    const auto compile_first = [&] {
        return finds_ids
                   ? compile_lookup(destination->object, statement_columns(*destination, plan), destination->object.key)
                   : compile(*destination, plan);
    };
    const auto compile_rest = [&]() -> std::optional<AfterLookup> {
        if (finds_ids)
            return by_found_id(destination->object, destination->operation(plan.operation),
                               statement_columns(*destination, plan), null_as,
                               reverse_etl::null_as(*destination, OperationKind::create));
        return compile_what_follows(*destination, plan, null_as);
    };
    Route route{{destination, &destination->object},
                compile_first(),
                null_as,
                compile_rest(),
                destination->authenticator(key.role),
                policy_of(*destination, key.role, identity),
                numbers_of(*destination)};
    route.reactions = compile_reactions(route.operation, null_forms(*destination, plan.operation));
    return route;
}

std::unique_ptr<DeliveryLane> open_lane(std::shared_ptr<const Destination> destination, const LaneKey &key,
                                        KeyQueue &rows, OutcomeSink &sink, const std::string &identity) {
    Route route = open_route(destination, key, identity);
    return std::make_unique<DeliveryLane>(
        std::move(route), Surroundings{session::transport(), session::waiter(), session::rate_limiter()}, rows, sink,
        std::make_unique<Activity>(destination->relation, kind_of(key.operation), key.role));
}

} // namespace reverse_etl
