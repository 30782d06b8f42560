#include "postgres/shared/statistics.h"

#include "engine/requests/verdict.h"
#include "postgres/border/border.h"

#include <utility>

extern "C" {
#include "catalog/pg_authid.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace statistics {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

/// Whose place it is: database and table; 0: it is free.
using Key = std::uint64_t;

Key key_of(Oid database, Oid destination) {
    return static_cast<Key>(database) << 32 | destination;
}

Oid database_of(Key key) {
    return static_cast<Oid>(key >> 32);
}

Oid destination_of(Key key) {
    return static_cast<Oid>(key);
}

struct Table {
    std::atomic<Key> keys[places]; ///< apart from the places, so that a search reads little
    Place place[places];
};
static_assert(std::atomic<Key>::is_always_lock_free);

/// Without shared memory this process counts for itself alone.
Table own;

Table &table() {
    return shared.address != nullptr ? *static_cast<Table *>(shared.address) : own;
}

/// Runs with the table to itself: what it does must not raise.
template <class Step>
void locked(Step &&step) {
    if (shared.lock == nullptr) {
        step();
        return;
    }
    pg_call([&] { LWLockAcquire(shared.lock, LW_EXCLUSIVE); });
    step();
    LWLockRelease(shared.lock);
}

Place *find(Key key) {
    for (std::size_t i = 0; i < places; i++)
        if (table().keys[i].load(std::memory_order_acquire) == key)
            return &table().place[i];
    return nullptr;
}

void clear(Place &place) {
    for (auto &count : place.counts)
        count.store(0, relaxed);
    for (auto &count : place.latency)
        count.store(0, relaxed);
    place.last_accepted_at.store(0, relaxed);
    place.reset_at.store(GetCurrentTimestamp(), relaxed);
}

/// The destination's place, or a free one that becomes it.
Place *find_or_take(Key key) {
    Place *taken = nullptr;
    locked([&] {
        taken = find(key); // somebody else may have been faster
        for (std::size_t i = 0; i < places && taken == nullptr; i++) {
            if (table().keys[i].load(relaxed) != 0)
                continue;
            taken = &table().place[i];
            clear(*taken);
            taken->waiting_rows.store(0, relaxed);
            taken->waiting_bytes.store(0, relaxed);
            table().keys[i].store(key, std::memory_order_release);
        }
    });
    return taken;
}

bool was_dropped(Key key) {
    return pg_call([&] {
        if (database_of(key) == MyDatabaseId)
            return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(destination_of(key)));
        return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database_of(key)));
    });
}

/// Frees the places of tables of this database, and of databases, that are no more.
void free_dropped() {
    for (auto &place : table().keys) {
        Key key = place.load(relaxed);
        // The catalogs are read before the lock is taken; meanwhile the place may have become another's.
        if (key != 0 && was_dropped(key))
            locked([&] { place.compare_exchange_strong(key, 0); });
    }
}

Place *place_of(Oid destination) {
    Key key = key_of(MyDatabaseId, destination);
    if (Place *known = find(key))
        return known;
    if (Place *taken = find_or_take(key))
        return taken;
    free_dropped();
    return find_or_take(key);
}

bool may_see(Oid destination) {
    Oid user = GetUserId();
    bool is_missing = false;
    bool has_privilege = pg_class_aclcheck_ext(destination, user, ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE,
                                               &is_missing) == ACLCHECK_OK;
    if (is_missing)
        return false;
    return has_privilege || has_privs_of_role(user, ROLE_PG_READ_ALL_STATS) ||
           pg_attribute_aclcheck_all(destination, user, ACL_SELECT | ACL_INSERT | ACL_UPDATE, ACLMASK_ANY) ==
               ACLCHECK_OK;
}

Numbers numbers_of(Oid destination, const Place &place) {
    Numbers numbers = {destination,
                       {},
                       {},
                       place.waiting_rows.load(relaxed),
                       place.waiting_bytes.load(relaxed),
                       place.last_accepted_at.load(relaxed),
                       place.reset_at.load(relaxed)};
    for (std::size_t i = 0; i < numbers.counts.size(); i++)
        numbers.counts[i] = place.counts[i].load(relaxed);
    for (std::size_t i = 0; i < numbers.latency.size(); i++)
        numbers.latency[i] = place.latency[i].load(relaxed);
    return numbers;
}

} // namespace

shared_memory::Part shared = {"reverse_etl statistics", sizeof(Table)};

std::vector<Numbers> visible() {
    std::vector<Numbers> all;
    for (std::size_t i = 0; i < places; i++) {
        Key key = table().keys[i].load(std::memory_order_acquire);
        if (key == 0 || database_of(key) != MyDatabaseId)
            continue;
        Oid destination = destination_of(key);
        if (pg_call([&] { return may_see(destination); }))
            all.push_back(numbers_of(destination, table().place[i]));
    }
    return all;
}

void reset(Oid destination) {
    locked([&] {
        for (std::size_t i = 0; i < places; i++) {
            Key key = table().keys[i].load(relaxed);
            if (database_of(key) == MyDatabaseId && (destination == InvalidOid || destination_of(key) == destination))
                clear(table().place[i]);
        }
    });
}

} // namespace statistics

using statistics::relaxed;

Statistics::Statistics(Oid destination)
    : place_(OidIsValid(destination) ? statistics::place_of(destination) : nullptr) {}

void Statistics::add(statistics::Counter counter, std::uint64_t number) {
    if (number != 0 && place_ != nullptr)
        place_->counts[counter].fetch_add(number, relaxed);
}

void Statistics::add_rows() {
    if (accepted_ > 0 && place_ != nullptr)
        place_->last_accepted_at.store(GetCurrentTimestamp(), relaxed);
    add(statistics::rows_accepted, std::exchange(accepted_, 0));
    add(statistics::rows_rejected, std::exchange(rejected_, 0));
    add(statistics::rows_read, std::exchange(read_, 0));
}

void Statistics::coalesced(std::uint64_t rows) {
    add(statistics::rows_coalesced, rows);
}

void Statistics::add_waiting(std::int64_t rows, std::int64_t bytes) {
    if (place_ == nullptr)
        return;
    place_->waiting_rows.fetch_add(rows, relaxed);
    place_->waiting_bytes.fetch_add(bytes, relaxed);
}

std::pair<std::int64_t, std::int64_t> Statistics::waiting() const {
    auto [rows, bytes] = counted();
    return {std::max<std::int64_t>(0, rows), std::max<std::int64_t>(0, bytes)};
}

std::pair<std::int64_t, std::int64_t> Statistics::counted() const {
    if (place_ == nullptr)
        return {0, 0};
    return {place_->waiting_rows.load(relaxed), place_->waiting_bytes.load(relaxed)};
}

void Statistics::correct_waiting(std::pair<std::int64_t, std::int64_t> counted,
                                 std::pair<std::int64_t, std::int64_t> found) {
    if (counted != found)
        add_waiting(found.first - counted.first, found.second - counted.second);
}

void Statistics::sent(std::size_t, bool again) {
    add(statistics::requests, 1);
    add(statistics::retries, again ? 1 : 0);
}

void Statistics::answered(std::size_t, const Response &response, const Verdict &verdict) {
    const Traffic &traffic = response.traffic;
    add_rows();
    add(statistics::throttled, verdict.action == Action::wait ? 1 : 0);
    add(statistics::connections_opened, traffic.opened_connection ? 1 : 0);
    add(statistics::connections_reused, traffic.reused_connection ? 1 : 0);
    add(statistics::bytes_sent, traffic.bytes_sent);
    add(statistics::bytes_received, traffic.bytes_received);
    add(statistics::bytes_uncompressed, traffic.bytes_uncompressed);
    if (place_ != nullptr && response.failure == Failure::none)
        place_->latency[latency_histogram::bucket_of(traffic.time)].fetch_add(1, relaxed);
}

} // namespace reverse_etl
