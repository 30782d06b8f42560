#include "postgres/shared/activity.h"

#include "postgres/border/border.h"

#include <optional>
#include <utility>

extern "C" {
#include "catalog/pg_authid.h"
#include "storage/ipc.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

/// Where a push shows itself. Only its owner writes here. What says whose push it is changes only while `changes` is
/// odd, so that a reader sees it whole or reads again.
struct alignas(64) Activity::Slot {
    std::atomic<int> owner; ///< 0: it is free
    std::atomic<unsigned> changes;
    std::atomic<int> pid; ///< 0: there is nothing to see
    std::atomic<Oid> database, destination, role;
    std::atomic<OperationKind> operation;
    std::atomic<TimestampTz> started_at;
    std::atomic<std::uint64_t> seen, accepted, rejected, in_flight;
};

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr int slots = 1024;

struct Slots {
    Activity::Slot slot[slots];
};

/// Without shared memory a process sees only itself.
Slots own;

Slots &table() {
    return Activity::shared.address != nullptr ? *static_cast<Slots *>(Activity::shared.address) : own;
}

void describe(Activity::Slot &slot, const RunningPush &push) {
    slot.changes.fetch_add(1);
    slot.pid.store(push.pid);
    slot.database.store(push.database);
    slot.destination.store(push.destination);
    slot.role.store(push.role);
    slot.operation.store(push.operation);
    slot.started_at.store(push.started_at);
    for (auto *count : {&slot.seen, &slot.accepted, &slot.rejected, &slot.in_flight})
        count->store(0);
    slot.changes.fetch_add(1);
}

/// Nothing if the slot is free, or changes hands just now.
std::optional<RunningPush> look_at(const Activity::Slot &slot) {
    unsigned before = slot.changes.load();
    RunningPush push = {slot.pid.load(),       slot.database.load(),   slot.destination.load(), slot.role.load(),
                        slot.operation.load(), slot.started_at.load(), slot.seen.load(),        slot.accepted.load(),
                        slot.rejected.load(),  slot.in_flight.load()};
    if (push.pid == 0 || before % 2 != 0 || slot.changes.load() != before)
        return std::nullopt;
    return push;
}

void leave(Activity::Slot &slot) {
    // At the exit of the process all slots were left before its pushes ended.
    if (slot.owner.load() != MyProcPid)
        return;
    describe(slot, RunningPush{});
    slot.owner.store(0);
}

void leave_all(int, Datum) {
    for (Activity::Slot &slot : table().slot)
        leave(slot);
}

/// A process that ends in the middle of a push leaves its slots. After a crash all of them are free again.
void leave_at_exit() {
    static bool registered = false;
    if (registered)
        return;
    pg_call([] { before_shmem_exit(leave_all, 0); });
    registered = true;
}

/// Takes a free slot, without a lock; nullptr if there is none.
Activity::Slot *enter(const RunningPush &push) {
    for (int i = 0; i < slots; i++) {
        Activity::Slot &slot = table().slot[(MyProcPid + i) % slots];
        int nobody = 0;
        if (!slot.owner.compare_exchange_strong(nobody, MyProcPid))
            continue;
        describe(slot, push);
        return &slot;
    }
    return nullptr;
}

bool may_see(Oid role) {
    Oid user = GetUserId();
    return has_privs_of_role(user, role) || has_privs_of_role(user, ROLE_PG_READ_ALL_STATS);
}

} // namespace

shared_memory::Part Activity::shared = {"reverse_etl activity", sizeof(Slots)};

Activity::Activity(Oid destination, OperationKind operation, Oid role)
    : state_{MyProcPid, MyDatabaseId, destination, role, operation, 0, 0, 0, 0, 0}, statistics_(destination) {
    leave_at_exit();
}

Activity::~Activity() {
    end();
}

void Activity::begin() {
    if (std::exchange(running_, true))
        return;
    state_.started_at = GetCurrentTimestamp();
    state_.seen = state_.accepted = state_.rejected = state_.in_flight = 0;
    slot_ = OidIsValid(state_.destination) ? enter(state_) : nullptr;
}

void Activity::end() {
    running_ = false;
    statistics_.add_rows();
    if (slot_ != nullptr)
        leave(*std::exchange(slot_, nullptr));
}

void Activity::seen(std::uint64_t rows) {
    state_.seen += rows;
    if (slot_ != nullptr)
        slot_->seen.store(state_.seen, relaxed);
}

void Activity::accepted() {
    statistics_.accepted();
    state_.accepted++;
    if (slot_ != nullptr)
        slot_->accepted.store(state_.accepted, relaxed);
}

void Activity::rejected() {
    statistics_.rejected();
    state_.rejected++;
    if (slot_ != nullptr)
        slot_->rejected.store(state_.rejected, relaxed);
}

void Activity::sent(std::size_t rows, bool again) {
    statistics_.sent(rows, again);
    state_.in_flight += rows;
    if (slot_ != nullptr)
        slot_->in_flight.store(state_.in_flight, relaxed);
}

void Activity::answered(std::size_t rows, const Response &response, const Verdict &verdict) {
    statistics_.answered(rows, response, verdict);
    state_.in_flight -= rows;
    if (slot_ != nullptr)
        slot_->in_flight.store(state_.in_flight, relaxed);
}

double Activity::rows_per_second(const RunningPush &push) {
    TimestampTz microseconds = GetCurrentTimestamp() - push.started_at;
    return microseconds <= 0
               ? 0
               : static_cast<double>(push.accepted + push.rejected) * 1e6 / static_cast<double>(microseconds);
}

std::vector<RunningPush> Activity::visible() {
    std::vector<RunningPush> pushes;
    for (const Slot &slot : table().slot) {
        std::optional<RunningPush> push = look_at(slot);
        if (push && push->database == MyDatabaseId && pg_call([&] { return may_see(push->role); }))
            pushes.push_back(*push);
    }
    return pushes;
}

} // namespace reverse_etl
