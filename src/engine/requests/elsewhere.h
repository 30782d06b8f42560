#pragma once

#include "engine/requests/authenticator.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// What stands for the API at an address that is somebody else's, such as a presigned URL: neither the connector's
/// headers nor its credentials go there, and no message tells the address.
struct Elsewhere {
    /// What is passed need not stay.
    Elsewhere(const Object &home, const Authenticator &of_home, std::string address);

    const std::string address; ///< a URL
    const std::unique_ptr<const Object> object;
    const std::shared_ptr<Authenticator> authenticator;
};

} // namespace reverse_etl
