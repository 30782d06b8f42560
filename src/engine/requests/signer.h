#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"
#include "engine/manifest/signing_spec.h"
#include "engine/world/clock.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// A request that is complete but for what its signature adds.
struct UnsignedRequest {
    enum class Format { json, form, other };

    Request &request;
    std::string &body; ///< holds the body where signing changes it, and must live as long as the exchange
    Format format = Format::json;
    std::string id; ///< what {request.id} stands for
    WallClock::time_point now = WallClock::now();
};

/// Puts one role's credentials into requests that are complete: what it adds is in no batch, in no outbox and in no
/// message.
class Signer {
  public:
    virtual ~Signer() = default;
    virtual void sign(UnsignedRequest &unsigned_request) const = 0;
    /// Whether it makes use of the request's id.
    virtual bool needs_id() const { return false; }
};

/// Throws SettingError where a credential cannot be used as it is to be.
std::unique_ptr<const Signer> make_signer(const SigningSpec &spec, const Settings &credentials);

} // namespace reverse_etl
