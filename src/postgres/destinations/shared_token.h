#pragma once

#include "engine/requests/access_token.h"
#include "engine/requests/authenticator.h"
#include "postgres/border/postgres.h"

#include <cstdint>
#include <optional>
#include <string>

extern "C" {
#include "postmaster/bgworker.h"
}

namespace reverse_etl {

/// Where the process that fetches a token finds the credentials: with a role's user mapping, for a foreign table, or
/// for its server where the relation is none.
struct TokenPlace {
    Oid server, relation, role;
};

/// What a process is started with that fetches a token.
struct TokenOrder {
    TokenPlace place;
    std::int64_t since; ///< the number of the entry that is no good
    char account[32];
};

/// A token that all sessions of the database share. One of them has a process fetch it, which goes on when that session
/// is cancelled: an answer that brings a new refresh token must not be lost. All others look at the table.
class SharedToken : public TokenStore {
  public:
    SharedToken(const AccessToken &token, const TokenPlace &place);
    ~SharedToken() override { abandon(); }

    void found_at(const TokenPlace &place) { place_ = place; }

    Answer ask() override;
    void refuse() override { refused_ = handed_out_; }
    void abandon() noexcept override;

  private:
    Answer look();
    Answer have_it_fetched();
    Answer cannot(const std::string &why, bool passes, const std::string &hint);
    bool start_fetching();
    bool is_over() const;

    const std::string account_;
    const bool may_rotate_;
    TokenPlace place_;
    std::int64_t handed_out_ = 0, refused_ = 0;
    std::optional<std::int64_t> since_; ///< the entry that was there when this inquiry began
    bool has_turn_ = false;
    BackgroundWorkerHandle *fetcher_ = nullptr;
};

/// Has sessions share the token of an authenticator, if that is fetched.
void share_token(Authenticator &authenticator, const TokenPlace &place);

} // namespace reverse_etl
