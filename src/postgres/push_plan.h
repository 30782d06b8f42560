#pragma once

#include "postgres/destination.h"

#include <vector>

namespace reverse_etl {

/// What a statement does to a destination.
struct PushPlan {
    OperationKind operation = OperationKind::create;
    std::vector<AttrNumber> written; ///< columns that are sent
    std::vector<AttrNumber> address; ///< columns that name the row, where the statement does not write them
};

/// The columns that a plan speaks of: those written, then those that only name the row.
std::vector<const DestinationColumn *> columns_of(const Destination &destination, const PushPlan &plan);

/// The operation compiled for the plan's columns, as EXPLAIN and delivery need it.
CompiledOperation compile(const Destination &destination, const PushPlan &plan);

/// How NULL is sent. An UPDATE that sets NULL means to clear the field; leaving it out would change nothing.
NullAs null_as(const Destination &destination, OperationKind operation);

} // namespace reverse_etl
