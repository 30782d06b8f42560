#pragma once

#include "postgres/destinations/destination.h"
#include "postgres/syncs/diff.h"

#include <string>

namespace reverse_etl {

/// A row of a difference.
struct SyncRow {
    enum class Change : char { added = '+', changed = '~', removed = '-' };
    Change change = Change::added;
    TupleTableSlot *found = nullptr; ///< the columns of the model come first; of a removed row those of the key
    const Datum *key = nullptr;      ///< in the order of the sync's key
    const bool *key_nulls = nullptr;
    Datum hash = 0;   ///< of what is sent
    int attempts = 0; ///< of the very same row that failed before
};

/// Why a row is not sent. In doubt: it was created, and nobody knows whether the destination has it.
enum class Refusal { invalid, quarantined, in_doubt };

/// What a run finds to do, counted: every row of the model, and every row that is removed, in one number.
struct SyncCounts {
    std::int64_t queried = 0, added = 0, changed = 0, removed = 0, invalid = 0, quarantined = 0;
};

/// Where the rows of a difference go.
class SyncSink {
  public:
    virtual ~SyncSink() = default;

    /// `made` is the row as one of the destination. Why it cannot be sent; "" if it can.
    virtual std::string send(const SyncRow &row, TupleTableSlot *made) = 0;
    /// A new row that the mode does not send: it is known from now on.
    virtual void note(const SyncRow &row) = 0;
    /// A row that cannot be sent. `has_key`: it can be told from all others.
    virtual void refuse(const SyncRow &row, bool has_key, const std::string &reason, Refusal kind) = 0;
};

/// Takes a difference apart, row by row: what goes to the destination, what cannot and why. As the sync's owner, in the
/// open connection to SPI; what is needed for it is kept in the memory context.
SyncCounts take_apart(const SyncDefinition &sync, const SyncDiff &diff, const Destination &destination, SyncSink &sink,
                      MemoryContext context);

} // namespace reverse_etl
