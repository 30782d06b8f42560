#pragma once

#include "engine/requests/secret_parts.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// A keyed hash over a text that the manifest puts together, by each key: while one takes the place of another, a
/// receiver may know either.
class HmacSignature : public Signer {
  public:
    HmacSignature(const SignatureSpec &spec, const Settings &credentials);
    void sign(UnsignedRequest &unsigned_request) const override;
    bool needs_id() const override { return text_.names("request.id") || parts_.needs_id(); }

  private:
    HashAlgorithm algorithm_;
    bool base64_;
    std::vector<std::string> keys_;
    SigningText text_;
    SecretParts parts_;
};

} // namespace reverse_etl
