#pragma once

#include "engine/requests/discovery.h"
#include "postgres/border/postgres.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// Signs requests to a server that no table leads to, with a role's credentials. Its token is one that all sessions
/// share. Throws as authenticator_of() does.
std::shared_ptr<Authenticator> signer_of_account(Oid server, Oid role, const Object &object);

/// What a server's account has that its connector does not list, asked for with a role's credentials. Errors name the
/// way out, where there is one.
class Account {
  public:
    Account(Oid server, Oid role, const Settings &settings);

    /// Whether the role has credentials for it, or needs none.
    bool has_credentials(const Object &object) const;

    std::vector<FoundObject> objects(const AccountObjects &objects) const;

    /// Asks for the fields of objects, several at once, and hands them over in the objects' order. Each must have a
    /// discovery. `authenticator`: nullptr for the role's.
    using Take = std::function<void(std::size_t position, std::vector<FoundField> &fields)>;
    void fields(const std::vector<std::shared_ptr<const Object>> &objects, const Take &take,
                const std::shared_ptr<Authenticator> &authenticator = nullptr) const;

  private:
    const Oid server_, role_;
    Policy policy_;
};

} // namespace reverse_etl
