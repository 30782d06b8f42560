#pragma once

#include <map>
#include <set>

#include "postgres/background/sync_runners.h"
#include "postgres/border/postgres.h"

namespace reverse_etl {

/// What the background worker sees to for managed syncs: it takes out the rows of runs that are cancelled, and has a
/// process of its own do what takes time and runs with the rights of others.
struct SyncTasks {
    /// Those of whom a run is to begin or to be resumed, or an alert is to be pushed.
    std::vector<sync_runners::Owner> owners;
    bool is_model_read = false;               ///< should the process that reads it die, nobody would tell
    std::map<Oid, std::set<int32>> cancelled; ///< syncs whose runs are, by destination

    /// In a transaction.
    static SyncTasks find();
};

} // namespace reverse_etl
