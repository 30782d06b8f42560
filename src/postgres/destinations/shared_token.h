#pragma once

#include "engine/requests/access_token.h"
#include "postgres/border/postgres.h"

#include <cstdint>
#include <optional>
#include <string>

extern "C" {
#include "postmaster/bgworker.h"
}

namespace reverse_etl {

/// What a process is started with that fetches a token.
struct TokenOrder {
    Oid relation, role;
    std::int64_t since; ///< the number of the entry that is no good
    char account[32];
};

/// A token that all sessions of the database share. One of them has a process fetch it, which goes on when that session
/// is cancelled: an answer that brings a new refresh token must not be lost. All others look at the table.
class SharedToken : public TokenStore {
  public:
    SharedToken(const AccessToken &token, Oid relation, Oid role);
    ~SharedToken() override { abandon(); }

    /// Where the process that fetches it finds the same credentials.
    void found_by(Oid relation, Oid role);

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
    Oid relation_, role_;
    std::int64_t handed_out_ = 0, refused_ = 0;
    std::optional<std::int64_t> since_; ///< the entry that was there when this inquiry began
    bool has_turn_ = false;
    BackgroundWorkerHandle *fetcher_ = nullptr;
};

} // namespace reverse_etl
