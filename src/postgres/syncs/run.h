#pragma once

#include "postgres/syncs/rows.h"

#include <string>
#include <vector>

namespace reverse_etl {

struct Model;

/// One run of a sync. Each step belongs into a transaction of its own, with an open connection to SPI: what it has done
/// so far survives a crash, and nothing is held while others work. It tells what happened; which state the run is in
/// then is decided in SQL and nowhere else: control/install/53_sync_runs.sql lists all that does.
class SyncRun {
  public:
    explicit SyncRun(SyncDefinition sync) : sync_(std::move(sync)) {}

    /// Puts a run on record. False if another one is under way, which a NOTICE tells.
    bool begin();
    /// Reads the model and queues what is to be sent, unless a guard holds the run.
    void queue();
    /// What was begun could not be brought to its end.
    void fail(const std::string &reason, bool cancelled);

    std::int64_t id() const { return id_; }
    const std::string &name() const { return sync_.name; }

  private:
    void find_and_queue();
    void note_queued(const SyncStatements &statements, const SyncDiff &diff, const SyncCounts &counts,
                     const std::vector<std::int64_t> &pushes) const;
    void renew_key_forms();
    void note_relations(const Model &model) const;
    void forget_older_failures() const;
    void hold(const SyncCounts &counts, const std::string &reason) const;

    SyncDefinition sync_;
    std::int64_t id_ = 0;
};

} // namespace reverse_etl
