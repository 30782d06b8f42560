#pragma once

#include "postgres/shared/shared_memory.h"

#include <optional>

namespace reverse_etl {

/// What sessions sleep on that wait for rows of the outbox, for shared_memory's list.
extern shared_memory::Part outbox_outcomes;

/// Wakes them: the worker has written down outcomes.
void announce_outcomes();

/// Ends the transaction, and sleeps until there are new outcomes or the time is over. Holds nothing meanwhile: call it
/// from a procedure that may end the transaction.
void sleep_for_outcomes(long most_ms);

/// While one lives, no outcome is missed between a look and a sleep.
class WatchOutcomes {
  public:
    WatchOutcomes();
    ~WatchOutcomes();
    WatchOutcomes(const WatchOutcomes &) = delete;
    WatchOutcomes &operator=(const WatchOutcomes &) = delete;
};

/// Returns when every row of the destination that this role sees in the outbox now has its outcome. Ends the
/// transaction again and again: call it from a procedure that may. Throws an Error when the time is over.
void wait_for_outcomes(Oid destination, std::optional<long> timeout_ms);

} // namespace reverse_etl
