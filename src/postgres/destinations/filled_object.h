#pragma once

#include "engine/manifest/connector.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// `connector->object(name, settings)`, made once a session for the same connector, object and settings: most
/// statements go to a destination that the last one went to. Throws what Connector::object throws.
std::shared_ptr<const Object> filled_object(const std::shared_ptr<const Connector> &connector, const std::string &name,
                                            const Settings &settings);

} // namespace reverse_etl
