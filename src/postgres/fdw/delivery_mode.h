#pragma once

#include "postgres/destinations/destination.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace reverse_etl {

/// Whether a statement's rows are queued: by the table's option "delivery", by what stands around the statement, and
/// where they can leave in a job only, since a job may end long after its statement.
/// Throws an Error where the option wants rows to leave that could still be rolled back.
bool is_queued(const Destination &destination, OperationKind operation, const ResultRelInfo *relation, EState *estate);

/// While one is alive, every statement is queued whatever the option says: what a trigger sends belongs to the
/// transaction that fired it.
class QueueEverything {
  public:
    QueueEverything();
    ~QueueEverything();
    QueueEverything(const QueueEverything &) = delete;
    QueueEverything &operator=(const QueueEverything &) = delete;

    static bool is_in_force();
};

} // namespace reverse_etl
