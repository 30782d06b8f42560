#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"
#include "engine/requests/access_token.h"
#include "engine/requests/signer.h"
#include "engine/requests/words.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// A user mapping that holds no complete set of credentials.
class MissingCredentials : public SettingError {
  public:
    using SettingError::SettingError;
};

/// Signs requests with one role's credentials. Kept across statements, so that an access token is fetched once.
/// Nothing here ever puts a credential into a message.
class Authenticator {
  public:
    /// Takes the first of the connector's kinds of authentication whose credentials are all there. Throws
    /// MissingCredentials when none is complete, SettingError when one cannot be used; messages name credentials, never
    /// their values.
    Authenticator(const std::vector<AuthSpec> &kinds, const Settings &credentials, Words::Storable storable = nullptr);

    Authenticator(const Authenticator &) = delete;
    Authenticator &operator=(const Authenticator &) = delete;

    /// How the destination's words are told: without these credentials and tokens.
    const Words &words() const { return words_; }

    /// Whether requests can be signed now; if not, token_request() must be made first.
    bool ready() { return !token_ || token_->ready(); }
    void sign(Headers &headers) const;
    /// The whole of it: for kinds of auth that look at more of the request than its headers.
    void sign(UnsignedRequest &unsigned_request) const;
    /// What shows over TLS whose requests they are, those for tokens too; nullptr for nothing.
    const std::shared_ptr<const ClientCertificate> &certificate() const { return certificate_; }
    /// Whether a signature makes use of {request.id}.
    bool needs_id() const { return signer_ != nullptr && signer_->needs_id(); }

    /// Whether refused credentials may be fresh ones after another token_request().
    bool renewable() const { return token_ != nullptr; }
    /// Counts the tokens, so that an answer to a request signed with an older one can be told.
    unsigned generation() const { return token_ ? token_->generation() : 0; }
    /// Whether the token was fetched when it was needed; if not, it may have ended since somebody fetched it.
    bool has_new_token() const { return token_ == nullptr || token_->is_new(); }
    void forget_token() { token_->forget(); }
    /// What requests carry, if it is neither a credential nor made of the request; else nullptr.
    AccessToken *token() const { return token_.get(); }
    /// Where a request for this URL goes.
    std::string address(std::string url, const std::string &base_url) const {
        return token_ ? token_->address(std::move(url), base_url) : url;
    }
    /// What the destination calls an address, as one under `base_url`.
    std::string home_address(std::string url, const std::string &base_url) const {
        return token_ ? token_->home_address(std::move(url), base_url) : url;
    }

    /// The asking for a token, which is one for all who share these credentials.
    struct TokenInquiry {
        ExchangeId exchange = 0;             ///< under way; 0: none
        int attempts = 0;                    ///< since the last token that came
        int looks = 0;                       ///< at where it is kept, since somebody fetches it for all
        Clock::time_point ready{};           ///< not before
        unsigned given_up = 0;               ///< how often that was after all attempts: for all who wait then
        std::optional<DestinationError> why; ///< the last time
    };
    TokenInquiry asking;

  private:
    std::string credential(std::string_view parameter) const;

    AuthSpec auth_;
    Settings credentials_;
    std::shared_ptr<const Signer> signer_; ///< of Kind::signing
    std::shared_ptr<const ClientCertificate> certificate_;
    Words words_;
    std::unique_ptr<AccessToken> token_; ///< of kinds that have one
};

} // namespace reverse_etl
