#include "postgres/destinations/session.h"

#include "engine/http/curl_transport.h"
#include "postgres/border/latch_waiter.h"
#include "postgres/border/server_text.h"
#include "postgres/shared/shared_rate_limiter.h"

#include <map>

namespace reverse_etl::session {

namespace {

/// More sets of credentials than one session ever uses; past it the cache starts anew.
constexpr std::size_t most_authenticators = 64;

} // namespace

Transport &transport() {
    static CurlTransport instance;
    return instance;
}

Waiter &waiter() {
    // Other sessions call this one when a place among the requests under way is free for it (rate_limiter).
    static LatchWaiter instance(true);
    return instance;
}

RateLimiter &rate_limiter() {
    return rate_limiter_of_process();
}

std::shared_ptr<Authenticator> authenticator(Oid server, const std::vector<AuthSpec> &kinds,
                                             const Settings &credentials) {
    // What the token belongs to: the credentials themselves and where they are sent. Changed ones make a new entry.
    std::vector<std::string> identity = {std::to_string(server)};
    for (const AuthSpec &auth : kinds)
        identity.push_back(auth.written);
    for (const auto &[name, value] : credentials)
        identity.insert(identity.end(), {name, value});

    static std::map<std::vector<std::string>, std::shared_ptr<Authenticator>> known;
    if (auto found = known.find(identity); found != known.end())
        return found->second;
    if (known.size() >= most_authenticators)
        known.clear();
    return known[identity] = std::make_shared<Authenticator>(kinds, credentials, storable);
}

} // namespace reverse_etl::session
