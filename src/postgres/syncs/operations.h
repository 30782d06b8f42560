#pragma once

#include "postgres/destinations/push_plan.h"
#include "postgres/syncs/definition.h"

#include <optional>

namespace reverse_etl {

/// What a sync asks of its destination, by its mode and by what the destination can do.
struct SyncOperations {
    PushPlan added;                  ///< for keys that are new to the state
    PushPlan changed;                ///< for keys that it knows
    std::optional<PushPlan> removed; ///< for keys that have left the model; none if nothing is done

    /// An Error says what the destination lacks.
    static SyncOperations choose(const SyncDefinition &sync, const Destination &destination);

    /// The destination takes new and known rows alike.
    bool take_all_alike() const;

    /// An Error names what the current role lacks to do all this.
    void check_rights(const Destination &destination) const;
};

/// What names a row of the destination to a plan: the values of the plan's address columns. Valid as long as the
/// slot's.
struct RowAddress {
    RowAddress(const PushPlan &plan, TupleTableSlot *made);
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
};

/// Whether the destination can look rows up by these columns.
bool looks_up_by(const Destination &destination, const std::vector<std::string> &columns);

} // namespace reverse_etl
