#pragma once

#include "engine/requests/signer.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

/// OAuth 1.0a with a token that was given once and for all.
class OAuth1 : public Signer {
  public:
    using Parameters = std::vector<std::pair<std::string, std::string>>;

    OAuth1(const OAuth1Spec &spec, const Settings &credentials);
    void sign(UnsignedRequest &unsigned_request) const override;

    /// RFC 5849 section 3.4.1: what is signed. `parameters` are those of the header, but for the realm, and of the
    /// query and a form.
    static std::string base_string(std::string_view method, std::string_view url, const Parameters &parameters);
    std::string signature_of(std::string_view base_string) const;

  private:
    OAuth1Spec spec_; ///< with the credentials
};

} // namespace reverse_etl
