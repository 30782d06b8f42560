#pragma once

#include "postgres/destinations/destination.h"

#include <cstdint>

extern "C" {
#include "access/xact.h"
}

namespace reverse_etl {

/// How much waits in the outbox for each destination, kept in shared memory so that nobody has to count for it.

/// Throws an Error if so many rows more would be more than the destination's options allow.
void check_outbox_level(const Destination &destination, std::uint64_t rows, std::uint64_t bytes);

/// Adds to the level once this transaction has committed.
void raise_outbox_level_at_commit(Oid destination, std::uint64_t rows, std::uint64_t bytes);
/// What it takes to do so: see module/transaction_end.
void outbox_level_at(XactEvent event);
void outbox_level_at(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent);

} // namespace reverse_etl
