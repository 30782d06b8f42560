#pragma once

#include "engine/requests/lookup_operations.h"
#include "postgres/destinations/destination.h"

#include <optional>
#include <vector>

extern "C" {
#include "executor/tuptable.h"
}

namespace reverse_etl {

/// What a statement does to a destination.
struct PushPlan {
    OperationKind operation = OperationKind::create;
    std::vector<AttrNumber> written; ///< columns that are sent
    std::vector<AttrNumber> address; ///< columns that name the row, where the statement does not write them
};

/// The columns that a plan speaks of: those written, then those that only name the row.
std::vector<const DestinationColumn *> columns_of(const Destination &destination, const PushPlan &plan);

/// Where among them the fields of the object's key stand; nowhere where one is missing.
std::vector<std::size_t> positions_of_key(const Destination &destination,
                                          const std::vector<const DestinationColumn *> &columns);

/// Puts a row's values into the order of those columns: the written ones come from the slot (null if none are written),
/// those that name the row from the arrays.
void gather_row(const PushPlan &plan, TupleTableSlot *slot, const Datum *address, const bool *address_nulls,
                Datum *values, bool *nulls);

/// The plan's columns as operations know them.
std::vector<StatementColumn> statement_columns(const Destination &destination, const PushPlan &plan);

/// The operation compiled for the plan's columns, as EXPLAIN and delivery need it: the one whose requests rows make
/// first. Of an upsert by a look-up that is the look-up.
CompiledOperation compile(const Destination &destination, const PushPlan &plan);

/// What follows, where that is a look-up. `null_as`: how NULL is sent for rows that are there.
std::optional<AfterLookup> compile_what_follows(const Destination &destination, const PushPlan &plan, NullAs null_as);

/// How NULL is sent. An UPDATE that sets NULL means to clear the field; leaving it out would change nothing.
NullAs null_as(const Destination &destination, OperationKind operation);
/// The same with what takes the operation's place.
NullForms null_forms(const Destination &destination, OperationKind operation);

} // namespace reverse_etl
