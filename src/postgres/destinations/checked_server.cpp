#include "postgres/destinations/checked_server.h"

#include "postgres/border/border.h"
#include "postgres/border/compat.h"
#include "postgres/destinations/account.h"
#include "postgres/destinations/connectors.h"
#include "postgres/destinations/destination.h"

extern "C" {
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
}

namespace reverse_etl {

namespace {

ConnectorCheck check_of(const Settings &settings) {
    const auto connector = find_connector(settings.contains("connector") ? settings.at("connector") : "");
    std::optional<ConnectorCheck> check = connector->check(settings);
    if (!check)
        throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "connector \"" + connector->name() + "\" has no check", "",
                    "A manifest has one in its member \"check\".");
    return std::move(*check);
}

} // namespace

Oid usable_server(const std::string &name) {
    return pg_call([&] {
        const Oid server = get_foreign_server_oid(to_server(name).c_str(), false);
        if (compat::server_aclcheck(server, GetUserId()) != ACLCHECK_OK)
            aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, to_server(name).c_str());
        return server;
    });
}

CheckedServer::CheckedServer(Oid server, Oid role)
    : check(check_of(options_of_server(server))), policy(policy_of(options_of_server(server))),
      authenticator(signer_of_account(server, role, check.object)) {
    policy.account = account_of(role, server);
}

} // namespace reverse_etl
