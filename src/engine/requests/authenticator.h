#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"
#include "engine/requests/signer.h"
#include "engine/requests/words.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// Why no token came.
struct TokenFault {
    DestinationError error;
    bool passes = false; ///< it may be asked for again, after the delay that the answer names
    std::optional<Milliseconds> delay;
};

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

    /// How the destination's words are told: without these credentials and tokens.
    const Words &words() const { return words_; }

    /// Whether requests can be signed now; if not, token_request() must be made first.
    bool ready() const;
    void sign(Headers &headers) const;
    /// The whole of it: for kinds of auth that look at more of the request than its headers.
    void sign(UnsignedRequest &unsigned_request) const;
    /// What shows over TLS whose requests they are, those for tokens too; nullptr for nothing.
    const std::shared_ptr<const ClientCertificate> &certificate() const { return certificate_; }
    /// Whether a signature makes use of {request.id}.
    bool needs_id() const { return signer_ != nullptr && signer_->needs_id(); }

    /// Whether refused credentials may be fresh ones after another token_request().
    bool renewable() const { return auth_.kind == AuthSpec::Kind::oauth2; }
    /// Counts the tokens, so that an answer to a request signed with an older one can be told.
    unsigned generation() const { return generation_; }
    void forget_token() { token_.clear(); }

    /// The asking for a token, which is one for all who share these credentials.
    struct TokenInquiry {
        ExchangeId exchange = 0;             ///< under way; 0: none
        int attempts = 0;                    ///< since the last token that came
        Clock::time_point ready{};           ///< not before
        unsigned given_up = 0;               ///< how often that was after all attempts: for all who wait then
        std::optional<DestinationError> why; ///< the last time
    };
    TokenInquiry asking;

    /// The request for an access token (RFC 6749 sections 4.4.2 and 6). The body is kept here until the next call.
    Request token_request();
    /// Takes the token from the answer (RFC 6749 section 5.1), or says why there is none.
    std::optional<TokenFault> read_token(const Response &response);

  private:
    std::string credential(std::string_view parameter) const;
    TokenFault fault(Fault fault, bool passes, const std::string &reason) const;
    TokenFault refusal(const Response &response) const;

    AuthSpec auth_;
    Settings credentials_;
    std::shared_ptr<const Signer> signer_; ///< of Kind::signing
    std::shared_ptr<const ClientCertificate> certificate_;
    Words words_;
    std::string token_;
    std::optional<Clock::time_point> expires_;
    unsigned generation_ = 0;
    std::string token_body_;
};

} // namespace reverse_etl
