#pragma once

#include "engine/http/transport.h"
#include "engine/manifest/connector.h"
#include "engine/requests/token_store.h"
#include "engine/requests/words.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reverse_etl {

/// The token that signs the requests of one set of credentials: fetched (oauth2, login), or made here (jwt). Nothing
/// here ever puts a credential into a message.
class AccessToken {
  public:
    /// `credentials` are all that `auth` names. Throws DestinationError where a key cannot sign.
    AccessToken(const AuthSpec &auth, const Settings &credentials, Words &words);

    /// Whether requests can be signed now; if not, it has to be fetched. One that is made here is, when it is needed.
    bool ready();
    void sign(Headers &headers) const;
    /// Where a request goes: where the answer that brought the token said that the API is, in place of `base_url`.
    std::string address(std::string url, const std::string &base_url) const;
    /// The other way: what the destination calls an address, as one under `base_url`.
    std::string home_address(std::string url, const std::string &base_url) const;

    /// Whether it comes from somebody; else it is made here.
    bool is_fetched() const { return spec_ != nullptr; }

    /// Counts the tokens, so that an answer to a request signed with an older one can be told.
    unsigned generation() const { return generation_; }
    /// Whether it was fetched when it was needed here; else it is one that somebody had before.
    bool is_new() const { return is_new_; }
    /// It was refused.
    void forget();
    void take(const FetchedToken &token);

    /// The request for a token (RFC 6749 sections 4.3.2, 4.4.2 and 6, RFC 7523 section 2.1, or a login of the
    /// destination's own). The body is kept here until the next call.
    Request request();
    /// Takes the token from the answer, or says why there is none.
    std::optional<TokenFault> read(const Response &response);
    /// The same, without taking it.
    TokenResult result_of(const Response &response) const;

    /// Whether it is fetched by a refresh token.
    bool has_refresh_token() const { return !refresh_token_.empty(); }
    /// Whether each token brings a new refresh token, perhaps, and the old one is worth nothing then.
    bool may_rotate() const { return has_refresh_token() && spec_->rotates; }
    /// The refresh token of the user mapping, and the newest that is known.
    const std::string &mapped_refresh_token() const { return mapped_refresh_token_; }
    void use_refresh_token(const std::string &newest);

    /// Of what the token is one: credentials and how they are sent. No credential can be told from it.
    const std::string &identity() const { return identity_; }
    /// The same of the refresh token that the user mapping has, and of who takes it.
    const std::string &refresh_identity() const { return refresh_identity_; }

    /// Where it is kept together with others; nullptr: each has a token of its own.
    TokenStore *store() const { return store_.get(); }
    void share(std::unique_ptr<TokenStore> store) { store_ = std::move(store); }

  private:
    std::string filled(std::string_view text) const;

    std::shared_ptr<const TokenSpec> spec_;
    std::shared_ptr<const JwtSpec> jwt_;
    Settings credentials_;
    Words &words_;
    std::string identity_, refresh_identity_;
    std::string mapped_refresh_token_, refresh_token_;
    std::string token_, base_url_;
    std::optional<Clock::time_point> expires_;
    unsigned generation_ = 0;
    bool is_new_ = true;
    std::string body_;
    std::unique_ptr<TokenStore> store_;
};

} // namespace reverse_etl
