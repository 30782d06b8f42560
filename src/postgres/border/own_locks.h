#pragma once

#include "postgres/border/postgres.h"

namespace reverse_etl::own_locks {

/// How a worker that ends and a transaction that commits rows do not miss each other. Processes alone do not tell: one
/// that is seen may be about to end. So the worker serves its database under a lock, and gives it up before it looks
/// for the last time; a transaction first holds a lock that the worker looks for, and then looks for the worker's.
/// Whichever of the two is later sees the other. None of the locks conflicts with anything else.

// The worker's. They go with the process.

/// The one worker of its database does all its work under this. Waits for one that is about to end; false if another
/// serves the database.
bool become_the_worker();
/// From here on what is committed is looked at.
void serve();
/// No longer, unless a transaction that is about to commit counts on it; whether that is so. The worker has to look
/// once more, and to serve again if it finds something.
bool retire();

// Of the processes that run a role's syncs: the worker that started them may have ended, and the next knows nothing of
// them.

/// How many a role may have at once: what takes long in one keeps the rest of the role's syncs not waiting.
constexpr int most_sync_runners = 2;
/// One of those of its role does all its work under this, which goes with the process. Never waits; false if there are
/// as many as may be. Call inside pg_call.
bool become_a_sync_runner(Oid role);

// A transaction's.

/// Has the worker stay until the transaction has ended.
void count_on_worker();
/// Whether there is a worker that will look at what is committed from here on.
bool is_served();

// How the extension is dropped. DROP EXTENSION locks all its tables, and those that have streams, one after the other,
// as others do that use them, in another order. So it first waits for those who do; and who comes then does not wait
// for it, perhaps with a lock that it needs, but fails.

/// Until the end of the transaction; an error if the extension is being dropped. Call inside pg_call.
void require_extension();
/// Nobody else uses it from here on, until the end of the transaction.
void drop_extension();

// How a run, and the making of a stream that feeds its sync, come one after the other.

/// Until the end of the transaction no table begins to feed the sync, or ceases to. Waits. Call inside pg_call.
void keep_feeds(uint32 sync);
/// Until the end of the transaction no run of the sync finds what differs. Waits. Call inside pg_call.
void change_feeds(uint32 sync);

// Who works at a run. A session may live on when it has given a run up, and could not write that down.

/// This process does, until it gives that up. Waits. Call inside pg_call.
void begin_work_at_run(uint32 run);
void end_work_at_run(uint32 run);
/// Whether another process does. Call inside pg_call.
bool is_worked_at(uint32 run);

// How rows of a destination leave straight from a run, while others for it wait in the outbox.

/// Whether this process is the one whose rows leave, until it gives that up. Never waits. Call inside pg_call.
bool take_turn_at_destination(Oid destination);
void give_up_turn_at_destination(Oid destination);
/// Whether another process has it, and not only keeps it from being taken for a moment. Call inside pg_call.
bool is_turn_taken(Oid destination);
/// Whether nobody has that turn; nobody takes it before the end of the transaction then. Never waits. Call inside
/// pg_call.
bool has_no_turn_taken(Oid destination);

// How a token is fetched once, for all who have the same credentials. Accounts are told apart by a number.

/// Whether this session is the one that has it fetched, until it gives that up. Never waits. Call inside pg_call.
bool take_turn_for_token(uint32 account);
void give_up_turn_for_token(uint32 account);
/// The process that fetches it does all of it under this, which goes with the process. Call inside pg_call.
void lock_token(uint32 account);

} // namespace reverse_etl::own_locks
