#pragma once

#include "postgres/destinations/destination.h"

#include <string>
#include <vector>

extern "C" {
#include "access/xact.h"
}

namespace reverse_etl {

/// The pushes of this transaction whose rows are queued: all rows that the same kind of statement queues for a
/// destination make one push. It is put on record when the transaction commits, so that a trigger which queues a row
/// for each row of a large change does not write as many rows into reverse_etl.audit_log.

/// The push that rows queued now belong to: its id.
std::int64_t queued_push(const Destination &destination, OperationKind operation, const char *statement);

/// Adds to the push: so many rows, and those of them that were rejected, JSON as rejected_rows_json() makes it.
void add_to_queued_push(std::int64_t id, std::uint64_t rows, std::uint64_t rejected,
                        const std::vector<std::string> &rejected_rows);

/// Puts them on record before the transaction commits, and forgets what is rolled back: see module/transaction_end.
void queued_pushes_at(XactEvent event);
void queued_pushes_at(SubXactEvent event, SubTransactionId subtransaction);

} // namespace reverse_etl
