#pragma once

/// How long the background worker waits for locks. Whoever may use a table or a sync may hold locks on it for as long
/// as they like, and make thousands of them; everybody's rows wait for this one process. So it has patience for all of
/// them together, which waits use up, and which grows again with time.

namespace reverse_etl::lock_patience {

/// From here on this process has so much, in milliseconds. Call outside of transactions.
void begin();
/// Before a transaction: how long it may wait.
void allot();
/// It has waited in vain.
void ran_out();

} // namespace reverse_etl::lock_patience
