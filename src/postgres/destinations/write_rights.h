#pragma once

#include "postgres/destinations/push_plan.h"

#include <optional>
#include <string>

namespace reverse_etl {

/// What a role lacks to do what a plan does.
struct MissingRight {
    const char *right;               ///< INSERT, UPDATE or DELETE
    std::vector<AttrNumber> columns; ///< that it may not write; empty: the right is one to the table
    std::string text(const Destination &destination) const; ///< as GRANT would name it
};

/// Nothing if the role has the right to the table, or to each column that the plan writes. With `defaults`, a column
/// that has a default needs none, as in a statement that does not name it.
std::optional<MissingRight> missing_right(const Destination &destination, const PushPlan &plan, Oid role,
                                          bool defaults = false);

/// Whether the role may write anything to the relation at all.
bool may_write(Oid relation, Oid role);

} // namespace reverse_etl
