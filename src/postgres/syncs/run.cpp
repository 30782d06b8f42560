#include "postgres/syncs/run.h"

#include "postgres/border/act_as.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/sql.h"
#include "postgres/border/subtransaction.h"
#include "postgres/destinations/identity.h"
#include "postgres/shared/worker_control.h"
#include "postgres/sources/source_line.h"
#include "postgres/syncs/guards.h"
#include "postgres/syncs/model.h"
#include "postgres/syncs/sync_outbox.h"

#include <set>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
}

namespace reverse_etl {

namespace {

/// A lock does not tell of the process itself: code of the model could ask for a run of its own sync.
std::set<std::int64_t> &own_runs() {
    static std::set<std::int64_t> runs;
    return runs;
}

} // namespace

WorkAtRun::WorkAtRun(std::int64_t run) : run_(run) {
    own_runs().insert(run);
    try {
        pg_call([&] { own_locks::begin_work_at_run(static_cast<uint32>(run)); });
    } catch (...) {
        own_runs().erase(run);
        throw;
    }
}

/// If it could not bring the run to its end, others do.
WorkAtRun::~WorkAtRun() {
    own_runs().erase(run_);
    own_locks::end_work_at_run(static_cast<uint32>(run_));
    wake_worker();
}

bool WorkAtRun::is_done_at(std::int64_t run) {
    return own_runs().contains(run) || own_locks::is_worked_at(static_cast<uint32>(run));
}

bool SyncRun::begin(bool calls_worker) {
    identity::refuse_copy();
    pg_call([] { PreventCommandIfReadOnly("run_sync()"); });
    Oid requested_by = GetUserId();
    sql::AsOwner owner;
    bool skipped = false, resumed = false;
    pg_call([&] {
        sql::execute("SELECT run, note, resumed FROM reverse_etl_internal.begin_run($1, $2, $3)",
                     {sql::int4(sync_.id), sql::name(server_role_name(requested_by)), sql::int4(MyProcPid)});
        id_ = DatumGetInt64(sql::column(0, 1, &skipped));
        resumed = DatumGetBool(sql::column(0, 3));
    });
    if (!skipped)
        work_ = std::make_unique<WorkAtRun>(id_);
    // Somebody may have altered it until just now; from here on they find the run.
    if (!skipped)
        sync_ = find_sync(sync_.id);
    if (calls_worker)
        wake_worker_at_commit();
    std::string note = skipped ? sql::printed_column(0, 2) : "";
    if (skipped)
        pg_call([&] {
            ereport(NOTICE, (errmsg("sync \"%s\" is skipped: %s", sync_.name, note),
                             errhint("reverse_etl.run_progress shows how far it is.")));
        });
    return !skipped && (!resumed || take_up());
}

/// Its process died while rows left straight from it. False if it was told to stop meanwhile.
bool SyncRun::take_up() const {
    StraightOutcomes(sync_, id_).doubt_sent();
    std::string forget = SyncStatements(sync_).forget_failures(id_, false);
    pg_call([&] {
        sql::run(forget);
        sql::execute("SELECT reverse_etl_internal.resume_straight($1)", {sql::int8(id_)});
    });
    return pg_call([] { return DatumGetBool(sql::column(0, 1)); });
}

/// In a subtransaction: an error inside a function of the model leaves SPI where it was, and what follows it would be
/// taken for a part of that function.
void SyncRun::queue() {
    in_subtransaction([&] {
        find_and_queue();
        return true;
    });
}

void SyncRun::find_and_queue() {
    lock_destination(sync_);
    // What begins to feed the sync later finds on record what the run has found.
    pg_call([&] { own_locks::keep_feeds(sync_.id); });
    renew_key_forms();
    note_relations(model_of(sync_));
    SyncStatements statements(sync_);
    SyncDiff diff = find_difference(statements);
    std::string reason;
    SyncCounts counts;
    in_subtransaction([&] {
        std::vector<std::int64_t> pushes;
        counts = take_apart_as_owner(diff, pushes);
        reason = exceeded_guard(sync_, id_, diff.known, counts);
        if (reason.empty() && store_ != nullptr)
            take_turn(pushes.empty());
        if (reason.empty())
            note_queued(statements, diff, counts, pushes);
        return reason.empty();
    });
    if (!reason.empty()) {
        store_.reset();
        hold(counts, reason);
    }
}

SyncDiff SyncRun::find_difference(const SyncStatements &statements) {
    Timed timed(times_.reading);
    const StatementTag tag("reverse_etl sync " + sync_.name + " run " + std::to_string(id_));
    SyncDiff diff = SyncDiff::find(sync_, statements);
    diff.leave_to_streams(sync_, statements);
    return diff;
}

SyncCounts SyncRun::take_apart_as_owner(const SyncDiff &diff, std::vector<std::int64_t> &pushes) {
    Timed timed(times_.comparing);
    ActAs owner(sync_.owner, sync_.search_path);
    Destination *destination = open_destination(sync_.destination, CurrentMemoryContext);
    SyncOperations operations = SyncOperations::choose(sync_, *destination);
    operations.check_rights(*destination);
    SyncCounts counts;
    if (may_deliver_ && !sync_.by_cursor() && may_leave_straight(sync_, operations)) {
        store_ = std::make_unique<RowStore>(sync_, id_, *destination, operations, CurrentMemoryContext);
        counts = take_apart(sync_, diff, *destination, *store_, CurrentMemoryContext);
        pushes = store_->finish();
    } else {
        SyncOutbox outbox(sync_, id_, *destination, operations, CurrentMemoryContext);
        counts = take_apart(sync_, diff, *destination, outbox, CurrentMemoryContext);
        pushes = outbox.finish();
    }
    return counts;
}

/// Rows leave from here, before all that is queued from here on.
void SyncRun::take_turn(bool has_none) {
    if (has_none) {
        store_.reset();
        return;
    }
    turn_ = TurnAtDestination::take(sync_.destination);
    if (turn_ != nullptr)
        store_->draw_numbers();
}

void SyncRun::deliver(const InTransaction &in_transaction, const std::function<bool()> &look) {
    StraightRun(sync_, id_, *store_, turn_ != nullptr, in_transaction, look).deliver();
    turn_.reset();
    store_.reset();
}

void SyncRun::note_queued(const SyncStatements &statements, const SyncDiff &diff, const SyncCounts &counts,
                          const std::vector<std::int64_t> &pushes) {
    sql::AsOwner owner;
    // Where there is nothing to send, no time goes there.
    add_times(id_, times_, counts.added + counts.changed + counts.removed == 0);
    // What failed before has come again by now, or is no longer to be sent; what is in doubt stays so. Where rows leave
    // from here, that is so when they have left.
    if (!delivers()) {
        std::string forget = statements.forget_failures(id_, true);
        pg_call([&] { sql::run(forget); });
    }
    if (forgets_gone(sync_.mode) && !diff.gone.is_empty()) {
        // A key that comes back counts as new.
        diff.gone.show_as("#gone");
        std::string forget = statements.forget("#gone");
        pg_call([&] { sql::run(forget); });
    }
    if (diff.cursor)
        pg_call([&] {
            sql::execute("UPDATE reverse_etl_internal.sync_definitions SET cursor_value = $2 WHERE id = $1",
                         {sql::int4(sync_.id), sql::text(*diff.cursor)});
        });
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.run_queued($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                     {sql::int8(id_),
                      sql::int8(counts.queried),
                      sql::int8(counts.added),
                      sql::int8(counts.changed),
                      sql::int8(counts.removed),
                      sql::int8(counts.invalid),
                      sql::int8(counts.quarantined),
                      sql::int8s(pushes),
                      {BOOLOID, BoolGetDatum(delivers())}});
    });
}

/// How the destination compares keys may have changed, with it or with its connector.
void SyncRun::renew_key_forms() {
    {
        sql::AsOwner owner;
        pg_call([&] { sql::execute("SELECT reverse_etl_internal.renew_key_forms($1)", {sql::int4(sync_.id)}); });
        if (!pg_call([] { return DatumGetBool(sql::column(0, 1)); }))
            return;
    }
    sync_ = find_sync(sync_.id);
}

/// Tables that the query reads may have been made anew under their names: it is those that are guarded from here on.
void SyncRun::note_relations(const Model &model) const {
    sql::AsOwner owner;
    pg_call([&] {
        sql::execute("UPDATE reverse_etl_internal.sync_definitions SET reads = $2::oid[]::regclass[], needs = $3 "
                     "WHERE id = $1 AND (reads::oid[] <> $2::oid[] OR needs <> $3)",
                     {sql::int4(sync_.id), sql::oids(model.relations), sql::texts(model.needs)});
    });
}

void SyncRun::hold(const SyncCounts &counts, const std::string &reason) {
    sql::AsOwner owner;
    add_times(id_, times_, false);
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.hold_run($1, $2, $3, $4, $5, $6, $7, $8)",
                     {sql::int8(id_), sql::int8(counts.queried), sql::int8(counts.added), sql::int8(counts.changed),
                      sql::int8(counts.removed), sql::int8(counts.invalid), sql::int8(counts.quarantined),
                      sql::text(reason)});
    });
}

void SyncRun::fail(const std::string &reason, bool cancelled) {
    StraightOutcomes(sync_, id_).doubt_sent();
    sql::AsOwner owner;
    pg_call([&] {
        sql::execute("SELECT reverse_etl_internal.fail_run($1, $2, $3)",
                     {sql::int8(id_), sql::text(reason), {BOOLOID, BoolGetDatum(cancelled)}});
    });
}

void SyncRun::leave() {
    turn_.reset();
    store_.reset();
    sql::AsOwner owner;
    pg_call([&] { sql::execute("SELECT reverse_etl_internal.leave_straight($1, false)", {sql::int8(id_)}); });
}

} // namespace reverse_etl
