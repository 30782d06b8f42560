#pragma once

#include <vector>

#include "postgres/border/postgres.h"

namespace reverse_etl::sync_runners {

/// Whose syncs or alerts have something to do that no process sees to, and whether a process can connect as that role.
struct Owner {
    Oid role;
    bool can_connect;
};

/// Has a process each see to them, and a second one where the first is busy: for the background worker, which is woken
/// when one ends. What one role runs, and however long it takes, keeps nobody else waiting, and one long run not the
/// rest of its role's. Whether it is to be asked again soon.
bool start(const std::vector<Owner> &owners);

/// Whether one has ended since this was last asked: there may be more to do.
bool any_ended();

} // namespace reverse_etl::sync_runners
