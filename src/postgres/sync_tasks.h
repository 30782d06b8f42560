#pragma once

#include <map>
#include <set>

#include "postgres/postgres.h"

namespace reverse_etl::sync_tasks {

/// What the background worker sees to for managed syncs: it takes out the rows of runs that are cancelled, and has a
/// process of its own do what takes time and runs with the rights of others. Both need a transaction.

/// Whether a run is to begin or to be resumed, or an alert is to be pushed.
bool are_there();

/// Whether a run reads its model: should its process die, nobody would tell.
bool is_a_model_read();

/// The syncs whose runs are cancelled, by destination.
std::map<Oid, std::set<int32>> cancelled();

} // namespace reverse_etl::sync_tasks
