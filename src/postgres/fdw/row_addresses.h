#pragma once

#include "postgres/destinations/destination.h"

#include <vector>

namespace reverse_etl {

/// The columns by which rows are named, together.
using RowAddress = std::vector<const DestinationColumn *>;

/// The ways in which the destination looks rows up, in the order of its manifest.
std::vector<RowAddress> lookup_addresses(const Destination &destination);

/// The ways in which an UPDATE or DELETE may name its row. What is queued for sure is not read to find its id: that
/// would keep the user's transaction waiting, and the row may still be in the outbox. Whoever delivers it looks the id
/// up.
std::vector<RowAddress> target_addresses(const Destination &destination, const OperationSpec &operation);

} // namespace reverse_etl
