#pragma once

#include "postgres/destinations/destination.h"

#include <vector>

namespace reverse_etl {

/// What planning knows of a foreign table: RelOptInfo::fdw_private.
struct RelationPlan {
    const Destination *destination = nullptr;
    /// This is the target of an UPDATE or DELETE of which nothing but the row's name is needed, if WHERE gives that.
    bool may_skip_reading = false;
    /// Set once the scan is chosen: the columns whose values WHERE gives, when the scan reads nothing.
    std::vector<AttrNumber> address_without_read;
};

} // namespace reverse_etl
