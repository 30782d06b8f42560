#pragma once

#include "engine/queue/delivery_lane.h"
#include "postgres/destinations/destination.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// The lane for rows of the destination. Throws an Error that says why such
/// rows cannot be sent; call where the catalog can be read. `identity`: unique
/// to the database, for idempotency keys.
std::unique_ptr<DeliveryLane> open_lane(std::shared_ptr<const Destination> destination, const LaneKey &key,
                                        KeyQueue &rows, OutcomeSink &sink, const std::string &identity);

} // namespace reverse_etl
