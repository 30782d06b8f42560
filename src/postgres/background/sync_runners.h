#pragma once

#include <vector>

#include "postgres/border/postgres.h"

namespace reverse_etl::sync_runners {

/// Whose syncs or alerts have something to do, and whether a process can connect as that role.
struct Owner {
    Oid role;
    bool can_connect;
};

/// Has a process each see to them, unless they have one: for the background worker, which is woken when one ends. What
/// one role runs, and however long it takes, keeps nobody else waiting. Whether some are to be started later.
bool start(const std::vector<Owner> &owners);

/// Whether one has ended since this was last asked: there may be more to do.
bool any_ended();

} // namespace reverse_etl::sync_runners
