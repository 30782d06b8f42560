#pragma once

namespace reverse_etl::ledger {

/// What the worker does for the ledger. Both are called outside of a transaction, and leave none.

/// Called when the worker starts: pushes that an earlier life of the cluster left running have an unknown end.
void start_service();

/// Does what sessions ask for, all that wait in one transaction. Whether there was anything.
bool serve();

} // namespace reverse_etl::ledger
