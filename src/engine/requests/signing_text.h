#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/signer.h"
#include "engine/text/placeholders.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A text of a kind of auth. Credentials are filled in when it is made, what the request says each time: neither can be
/// a placeholder in it.
class SigningText {
  public:
    SigningText(std::string_view text, const Settings &credentials);

    /// The text for a request; `signature` is what {request.signature} stands for.
    std::string of(const UnsignedRequest &unsigned_request, std::string_view signature = "") const;
    bool names(std::string_view placeholder) const;

  private:
    std::vector<TextPart> parts_; ///< placeholders are only those of the request
};

/// A text without anything of a request.
std::string with_credentials(std::string_view text, const Settings &credentials);

} // namespace reverse_etl
