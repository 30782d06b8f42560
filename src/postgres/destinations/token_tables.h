#pragma once

#include "engine/requests/token_store.h"

#include <cstdint>
#include <optional>
#include <string>

namespace reverse_etl::token_tables {

/// The tables in which tokens are kept. They hold what a kill of any process must not lose, and what a standby may use.
/// All that is kept is sealed with the key of reverse_etl.token_key_file, where there is one.

/// What came of the last request for a token.
struct Entry {
    std::int64_t number = 0; ///< rises with each; 0: there is none
    std::optional<TokenResult> result;
    /// Whether it is a token that may still be used.
    bool is_usable() const;
};

/// What is committed now, whatever the transaction's snapshot: what was written meanwhile is seen.
Entry read(const std::string &account);

/// The newest refresh token in place of the one that has this identity; "" for none. Throws an Error where it cannot
/// be opened: the older one is worth nothing.
std::string newest_refresh_token(const std::string &identity);

/// Throws an Error where there is a key that cannot be read.
void check_key();

/// What a token is kept under, besides its account.
struct RefreshIdentity {
    std::string identity; ///< of the user mapping's refresh token
    std::string mapped;   ///< that token
};

/// Keeps what came, in the transaction, and its refresh token if it brought one.
void write(const std::string &account, std::int64_t number, const TokenResult &result, const RefreshIdentity &refresh);

} // namespace reverse_etl::token_tables
