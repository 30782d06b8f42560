#pragma once

#include "engine/queue/delivery_lane.h"
#include "postgres/destinations/destination.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// How rows of the destination are sent that share requests. Throws an Error that says why such
/// rows cannot be sent; call where the catalog can be read. `identity`: unique
/// to the database, for idempotency keys.
Route open_route(std::shared_ptr<const Destination> destination, const LaneKey &key, const std::string &identity);

/// Their lane in the outbox, likewise.
std::unique_ptr<DeliveryLane> open_lane(std::shared_ptr<const Destination> destination, const LaneKey &key,
                                        KeyQueue &rows, OutcomeSink &sink, const std::string &identity);

} // namespace reverse_etl
