#pragma once

#include "postgres/destinations/destination.h"
#include "postgres/sources/source_plan.h"

#include <vector>

extern "C" {
#include "nodes/pathnodes.h"
}

namespace reverse_etl {

/// What is put together of a source's rows there: of a relation of the planner's upper stages.
struct GroupedPlan {
    SourcePlan plan;
    List *row = NIL;    ///< ForeignScan::fdw_scan_tlist
    List *values = NIL; ///< ForeignScan::fdw_exprs
    List *having = NIL; ///< what is evaluated here of it
};

/// What planning knows of a foreign table: RelOptInfo::fdw_private.
struct RelationPlan {
    const Destination *destination = nullptr;
    /// This is the target of an UPDATE or DELETE of which nothing but the row's name is needed, if WHERE gives that.
    bool may_skip_reading = false;
    /// Set once the scan is chosen: the columns whose values WHERE gives, when the scan reads nothing.
    std::vector<AttrNumber> address_without_read;
    GroupedPlan grouped = {}; ///< of an upper relation
};

} // namespace reverse_etl
