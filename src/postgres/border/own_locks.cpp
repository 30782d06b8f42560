#include "postgres/border/own_locks.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"

#include <algorithm>
#include <iterator>

extern "C" {
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lock.h"
}

namespace reverse_etl::own_locks {

namespace {

/// What is locked, as the last part of the tag. The extension's oid is no part of it: one that was created anew has no
/// second worker beside the first.
enum Object : uint16 {
    the_worker = 1,
    serving = 2,
    committing = 3,
    the_extension = 4,
    token_turn = 5,
    token = 6,
    sync_runner = 7,
    turn_at_destination = 8,
    second_sync_runner = 9,
    feeds_of_sync = 10,
    work_at_run = 11
};

constexpr bool for_session = true, for_transaction = false;
constexpr bool at_once = true, wait_for_it = false;
/// How long a worker that is about to end may take, between two looks.
constexpr long pause_ms = 10;

LOCKTAG tag_of(Object object, uint32 whose) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, whose, object);
    tag.locktag_lockmethodid = USER_LOCKMETHOD;
    return tag;
}

bool take(Object object, LOCKMODE mode, bool lasts, bool now, uint32 whose = 0) {
    LOCKTAG tag = tag_of(object, whose);
    return LockAcquire(&tag, mode, lasts, now) != LOCKACQUIRE_NOT_AVAIL;
}

void give_up(Object object, LOCKMODE mode, bool lasts, uint32 whose = 0) {
    LOCKTAG tag = tag_of(object, whose);
    LockRelease(&tag, mode, lasts);
}

/// Whether somebody else has it: who could share it gives it back at once.
bool is_taken(Object object, bool lasts, uint32 whose = 0) {
    if (!take(object, ShareLock, lasts, at_once, whose))
        return true;
    give_up(object, ShareLock, lasts, whose);
    return false;
}

} // namespace

bool become_the_worker() {
    while (!take(the_worker, ExclusiveLock, for_session, at_once)) {
        if (is_taken(serving, for_session))
            return false;
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause_ms, compat::wait_event());
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
    return true;
}

void serve() {
    // Others only look whether they could have it, and never wait.
    take(serving, ExclusiveLock, for_session, wait_for_it);
}

bool retire() {
    give_up(serving, ExclusiveLock, for_session);
    bool nobody = take(committing, ExclusiveLock, for_session, at_once);
    if (nobody)
        give_up(committing, ExclusiveLock, for_session);
    else
        serve();
    return nobody;
}

void count_on_worker() {
    take(committing, ShareLock, for_transaction, wait_for_it);
}

bool become_a_sync_runner(Oid role) {
    constexpr Object places[most_sync_runners] = {sync_runner, second_sync_runner};
    return std::any_of(std::begin(places), std::end(places),
                       [&](Object place) { return take(place, ExclusiveLock, for_session, at_once, role); });
}

void require_extension() {
    if (!take(the_extension, RowShareLock, for_transaction, at_once))
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("extension reverse_etl is being dropped")));
}

void drop_extension() {
    take(the_extension, ExclusiveLock, for_transaction, wait_for_it);
}

bool is_served() {
    return is_taken(serving, for_transaction);
}

void keep_feeds(uint32 sync) {
    take(feeds_of_sync, ShareLock, for_transaction, wait_for_it, sync);
}

void change_feeds(uint32 sync) {
    take(feeds_of_sync, ExclusiveLock, for_transaction, wait_for_it, sync);
}

void begin_work_at_run(uint32 run) {
    // Others only look whether they could have it.
    take(work_at_run, ExclusiveLock, for_session, wait_for_it, run);
}

void end_work_at_run(uint32 run) {
    give_up(work_at_run, ExclusiveLock, for_session, run);
}

bool is_worked_at(uint32 run) {
    return is_taken(work_at_run, for_session, run);
}

bool take_turn_at_destination(Oid destination) {
    return take(turn_at_destination, ExclusiveLock, for_session, at_once, destination);
}

void give_up_turn_at_destination(Oid destination) {
    give_up(turn_at_destination, ExclusiveLock, for_session, destination);
}

bool is_turn_taken(Oid destination) {
    return is_taken(turn_at_destination, for_session, destination);
}

bool has_no_turn_taken(Oid destination) {
    return take(turn_at_destination, ShareLock, for_transaction, at_once, destination);
}

bool take_turn_for_token(uint32 account) {
    return take(token_turn, ExclusiveLock, for_session, at_once, account);
}

void give_up_turn_for_token(uint32 account) {
    give_up(token_turn, ExclusiveLock, for_session, account);
}

void lock_token(uint32 account) {
    take(token, ExclusiveLock, for_session, wait_for_it, account);
}

} // namespace reverse_etl::own_locks
