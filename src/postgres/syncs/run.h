#pragma once

#include "postgres/syncs/rows.h"
#include "postgres/syncs/straight_run.h"

#include <string>
#include <vector>

namespace reverse_etl {

struct Model;

/// While one lives, this process works at a run, and no other takes it up.
class WorkAtRun {
  public:
    /// In a transaction.
    explicit WorkAtRun(std::int64_t run);
    ~WorkAtRun();
    WorkAtRun(const WorkAtRun &) = delete;
    WorkAtRun &operator=(const WorkAtRun &) = delete;

    /// By any process; call inside pg_call.
    static bool is_done_at(std::int64_t run);

  private:
    std::int64_t run_;
};

/// One run of a sync. Each step but deliver() belongs into a transaction of its own, with an open connection to SPI:
/// what it has done so far survives a crash, and nothing is held while others work. It tells what happened; which state
/// the run is in then is decided in SQL and nowhere else: control/install/53_sync_runs.sql lists all that does.
class SyncRun {
  public:
    explicit SyncRun(SyncDefinition sync) : sync_(std::move(sync)) {}

    /// Puts a run on record. False if another one is under way, which a NOTICE tells. `calls_worker`: to see to the run
    /// if this process dies, unless it does already.
    bool begin(bool calls_worker = true);
    /// From here on rows may leave straight from this process, by deliver(), where the destination allows for that.
    void may_deliver() { may_deliver_ = true; }
    /// Reads the model and queues what is to be sent, or keeps it for deliver(), unless a guard holds the run.
    void queue();
    /// Whether there is something for deliver(), which takes no transaction but those that it makes.
    bool delivers() const { return store_ != nullptr; }
    void deliver(const InTransaction &in_transaction, const std::function<bool()> &look);
    /// What was begun could not be brought to its end.
    void fail(const std::string &reason, bool cancelled);
    /// It goes on in the background: what has not left is found once more.
    void leave();

    std::int64_t id() const { return id_; }
    const std::string &name() const { return sync_.name; }

  private:
    void find_and_queue();
    bool take_up() const;
    void take_turn(bool has_none);
    void note_queued(const SyncStatements &statements, const SyncDiff &diff, const SyncCounts &counts,
                     const std::vector<std::int64_t> &pushes);
    SyncDiff find_difference(const SyncStatements &statements);
    SyncCounts take_apart_as_owner(const SyncDiff &diff, std::vector<std::int64_t> &pushes);
    void renew_key_forms();
    void note_relations(const Model &model) const;
    void hold(const SyncCounts &counts, const std::string &reason);

    SyncDefinition sync_;
    std::int64_t id_ = 0;
    std::unique_ptr<WorkAtRun> work_;
    bool may_deliver_ = false;
    RunTimes times_;
    std::unique_ptr<RowStore> store_;
    std::unique_ptr<TurnAtDestination> turn_;
};

} // namespace reverse_etl
