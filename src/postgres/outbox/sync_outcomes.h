#pragma once

#include <map>
#include <string>
#include <vector>

#include "postgres/border/postgres.h"

namespace reverse_etl {

/// Outcomes of rows of managed syncs, kept until they are written down in the transaction that takes the rows out of
/// the outbox: so a sync's state and the outbox never part.
class SyncOutcomes {
  public:
    enum class Outcome {
        accepted,
        rejected,
        cancelled,
        absent, ///< there is no such row
        unknown ///< of a create, which is not made again on suspicion
    };

    /// Nothing happens for a row of no sync. In doubt is what was not accepted and may have arrived all the same.
    void add(int32 sync, std::uint64_t outbox_row, Outcome outcome, bool in_doubt = false);
    /// Moves the states, and ends runs whose last outcome this is. Call in a transaction.
    void settle();

  private:
    struct OfSync {
        std::vector<int64> rows, in_doubt;
        std::vector<std::string> outcomes;
    };
    std::map<int32, OfSync> syncs_;
};

} // namespace reverse_etl
