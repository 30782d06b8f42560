#include "engine/requests/signer.h"

#include "engine/requests/hmac_signature.h"
#include "engine/requests/oauth1.h"
#include "engine/requests/secret_parts.h"
#include "engine/requests/sigv4.h"

namespace reverse_etl {

namespace {

/// The connection says who we are.
class Unsigned : public Signer {
  public:
    void sign(UnsignedRequest &) const override {}
};

struct SignerOf {
    const Settings &credentials;

    std::unique_ptr<const Signer> operator()(const SecretPartsSpec &spec) const {
        return std::make_unique<SecretParts>(spec.parts, credentials);
    }
    std::unique_ptr<const Signer> operator()(const Sigv4Spec &spec) const {
        return std::make_unique<Sigv4>(spec, credentials);
    }
    std::unique_ptr<const Signer> operator()(const SignatureSpec &spec) const {
        return std::make_unique<HmacSignature>(spec, credentials);
    }
    std::unique_ptr<const Signer> operator()(const OAuth1Spec &spec) const {
        return std::make_unique<OAuth1>(spec, credentials);
    }
    std::unique_ptr<const Signer> operator()(const CertificateSpec &) const { return std::make_unique<Unsigned>(); }
};

} // namespace

std::unique_ptr<const Signer> make_signer(const SigningSpec &spec, const Settings &credentials) {
    return std::visit(SignerOf{credentials}, spec);
}

} // namespace reverse_etl
