#include "postgres/destinations/account.h"

#include "postgres/border/border.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/session.h"
#include "postgres/destinations/shared_token.h"

#include <algorithm>

namespace reverse_etl {

namespace {

AccountLine line_of(const Policy &policy) {
    return {session::transport(), session::waiter(), session::rate_limiter(), policy};
}

} // namespace

std::shared_ptr<Authenticator> signer_of_account(Oid server, Oid role, const Object &object) {
    std::shared_ptr<Authenticator> signer = authenticator_of(role, server, object);
    share_token(*signer, {server, InvalidOid, role});
    return signer;
}

Account::Account(Oid server, Oid role, const Settings &settings)
    : server_(server), role_(role), policy_(policy_of(settings)) {
    policy_.account = account_of(role, server);
}

bool Account::has_credentials(const Object &object) const {
    if (!credentials_of(role_, server_).empty())
        return true;
    return std::any_of(object.auth.begin(), object.auth.end(),
                       [](const AuthSpec &auth) { return auth.credentials.empty(); });
}

std::vector<FoundObject> Account::objects(const AccountObjects &objects) const {
    identity::refuse_copy();
    return find_objects(objects, *signer_of_account(server_, role_, objects.object), line_of(policy_));
}

void Account::fields(const std::vector<std::shared_ptr<const Object>> &objects, const Take &take,
                     const std::shared_ptr<Authenticator> &authenticator) const {
    if (objects.empty())
        return;
    identity::refuse_copy();
    const AccountLine line = line_of(policy_);
    for (std::size_t begin = 0; begin < objects.size(); begin += policy_.max_in_flight) {
        const std::size_t end = std::min(begin + policy_.max_in_flight, objects.size());
        std::vector<std::shared_ptr<Authenticator>> signers;
        std::vector<std::unique_ptr<FieldSearch>> searches;
        for (std::size_t i = begin; i < end; i++) {
            signers.push_back(authenticator ? authenticator : signer_of_account(server_, role_, *objects[i]));
            searches.push_back(std::make_unique<FieldSearch>(*objects[i], *signers.back(), line));
        }
        find_fields(searches, line);
        for (std::size_t i = begin; i < end; i++)
            take(i, searches[i - begin]->found());
    }
}

} // namespace reverse_etl
