#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/authenticator.h"
#include "engine/requests/dispatcher.h"
#include "postgres/border/postgres.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// The server of that name, which the role may use: else an error. Whoever may use it may ask it for what it is.
Oid usable_server(const std::string &name);

/// A server as its check sees it: without any table, and with the credentials of one role.
struct CheckedServer {
    /// Throws an Error if the server is none of this wrapper, or its connector has no check.
    CheckedServer(Oid server, Oid role);

    ConnectorCheck check;
    Policy policy;
    std::shared_ptr<Authenticator> authenticator; ///< speaks of `check`
};

} // namespace reverse_etl
