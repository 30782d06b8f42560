#pragma once

#include "engine/requests/signer.h"

#include <string>
#include <string_view>

namespace reverse_etl {

/// AWS Signature Version 4: a keyed hash over all that the request says.
class Sigv4 : public Signer {
  public:
    Sigv4(const Sigv4Spec &spec, const Settings &credentials);
    void sign(UnsignedRequest &unsigned_request) const override;

    /// The steps of it, which the published vectors name one by one.
    std::string canonical_request(const Request &request, std::string_view payload_hash) const;
    static std::string string_to_sign(std::string_view time, std::string_view scope, std::string_view canonical);

  private:
    Sigv4Spec spec_; ///< with the credentials
};

} // namespace reverse_etl
