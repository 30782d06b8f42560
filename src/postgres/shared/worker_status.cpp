#include "postgres/shared/worker_status.h"

#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"
#include "postgres/shared/part_lock.h"
#include "postgres/shared/worker_control.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace reverse_etl::worker_status {

namespace {

/// Of so many databases; what comes when all places are taken has none.
constexpr int places = 256;
/// A worker that broke is there again by then.
constexpr int longest_restart_ms = 5'000;

struct Place {
    Oid database; ///< invalid: it is free
    int pid;      ///< 0: it has ended
    bool broke;   ///< and is started again by the postmaster
    TimestampTz started_at, alive_at;
    char why[512]; ///< it ended; "" while it runs
};

struct Places {
    Place all[places];
};

Place *own = nullptr; ///< the worker's

struct Lock : shared_memory::PartLock {
    Lock() : PartLock(shared) {}
};

/// Its place, or else a free one if there is any; call under the lock.
Place *find_place(Oid database) {
    Place *free = nullptr;
    for (Place &place : static_cast<Places *>(shared.address)->all) {
        if (place.database == database)
            return &place;
        if (place.database == InvalidOid && free == nullptr)
            free = &place;
    }
    return free;
}

/// A copy of this database's place; empty if nothing is known.
Place read_place() {
    if (shared.address == nullptr)
        return {};
    Lock lock;
    Place *place = find_place(MyDatabaseId);
    return place == nullptr ? Place{} : *place;
}

void note_end(const std::string &why, bool broke) {
    if (own == nullptr)
        return;
    Lock lock;
    own->broke = broke;
    std::snprintf(own->why, sizeof(own->why), "%s", why.c_str());
}

void at_exit(int code, Datum) {
    if (own->pid != MyProcPid)
        return;
    if (own->why[0] == '\0' && code != 0)
        note_end("it was terminated", true);
    own->alive_at = GetCurrentTimestamp();
    own->pid = 0;
}

const char *state_of(bool is_served, int pid) {
    return is_served ? "running" : pid != 0 ? "starting" : "none";
}

/// What it broke of may quote rows.
std::string shown_end(const Place &place) {
    bool may_see = !place.broke || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
    return may_see ? place.why : "it broke, see the server log";
}

std::string why_none(const Place &place) {
    if (RecoveryInProgress())
        return "the server is a standby";
    if (running_background_workers() >= max_worker_processes)
        return "no free worker slot: all " + std::to_string(max_worker_processes) +
               " of \"max_worker_processes\" are in use";
    if (place.why[0] != '\0')
        return shown_end(place);
    return shared_memory::is_there() ? "nothing was queued so far"
                                     : "it is started when rows are queued, since reverse_etl is not preloaded";
}

void forget_database(Oid database) {
    if (shared.address == nullptr)
        return;
    Lock lock;
    if (Place *place = find_place(database); place != nullptr && place->database == database)
        *place = {};
}

} // namespace

shared_memory::Part shared = {"reverse_etl worker status", sizeof(Places), nullptr, forget_database};

void started() {
    if (shared.address == nullptr)
        return;
    {
        Lock lock;
        own = find_place(MyDatabaseId);
        if (own == nullptr)
            return;
        *own = {MyDatabaseId, MyProcPid, false, GetCurrentTimestamp(), GetCurrentTimestamp(), ""};
    }
    pg_call([] { before_shmem_exit(at_exit, 0); });
}

void alive() {
    // Nobody else writes it, and it is read and written at once.
    if (own != nullptr)
        own->alive_at = GetCurrentTimestamp();
}

void ends(const std::string &why) {
    note_end(why, false);
}

void breaks(const std::string &why) {
    note_end("it broke: " + why, true);
}

bool comes_again() {
    Place place = read_place();
    return place.broke && place.pid == 0 &&
           !TimestampDifferenceExceeds(place.alive_at, GetCurrentTimestamp(), longest_restart_ms);
}

Status find() {
    Place place = read_place();
    bool is_served = !RecoveryInProgress() && pg_call([] { return own_locks::is_served(); });
    int pid = pid_of_worker();
    Status status{state_of(is_served, pid), pid, place.started_at, place.alive_at, ""};
    if (std::strcmp(status.state, "none") == 0)
        status.reason = why_none(place);
    return status;
}

} // namespace reverse_etl::worker_status
