#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/authenticator.h"
#include "engine/requests/dispatcher.h"
#include "postgres/border/postgres.h"

#include <memory>

namespace reverse_etl {

/// A server as its check sees it: without any table, and with the credentials of one role.
struct CheckedServer {
    /// Throws an Error if the server is none of this wrapper, or its connector has no check.
    CheckedServer(Oid server, Oid role);

    ConnectorCheck check;
    Policy policy;
    std::shared_ptr<Authenticator> authenticator; ///< speaks of `check`
};

} // namespace reverse_etl
