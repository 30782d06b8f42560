#pragma once

#include "engine/requests/signing_text.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// Puts texts into a request: headers, parameters of the URL, members of the body, each in place of one of its name,
/// but for the body, in which they come first.
class SecretParts : public Signer {
  public:
    SecretParts(const std::vector<SignedPart> &parts, const Settings &credentials);

    void sign(UnsignedRequest &unsigned_request) const override { put_in(unsigned_request, {""}); }
    /// The same where the texts name a signature. One that does is written for each, with blanks between them.
    void put_in(UnsignedRequest &unsigned_request, const std::vector<std::string> &signatures) const;
    bool needs_id() const override;

  private:
    struct Part {
        SignedPart::Place place;
        std::string name;
        SigningText text;
    };
    std::vector<Part> parts_;
};

/// The JSON with these members first in its outermost objects: the body, or the elements of an array, or lines.
/// `members` is JSON without braces. Nothing is put anywhere in a text that has no such object.
std::string with_members(std::string_view json, std::string_view members);

} // namespace reverse_etl
