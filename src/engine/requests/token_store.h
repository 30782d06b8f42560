#pragma once

#include "engine/text/errors.h"
#include "engine/world/clock.h"

#include <optional>
#include <string>
#include <variant>

namespace reverse_etl {

/// A token that came.
struct FetchedToken {
    std::string text;
    std::string base_url;             ///< where the API is for this account; "": where it always is
    std::string refresh_token;        ///< in place of the one that was used up; "" for none
    std::optional<Milliseconds> life; ///< how long it may be used
    bool is_new = true;               ///< it was fetched since it was asked for; else somebody had it before
};

/// Why no token came.
struct TokenFault {
    DestinationError error;
    bool passes = false; ///< it may be asked for again, after the delay that the answer names
    std::optional<Milliseconds> delay;
};

using TokenResult = std::variant<FetchedToken, TokenFault>;

/// Where all who have the same credentials keep their token, so that it is fetched once for all of them.
class TokenStore {
  public:
    virtual ~TokenStore() = default;

    struct Later {}; ///< it is being fetched
    struct Alone {}; ///< nobody can do it for this one, who may do it by itself
    using Answer = std::variant<FetchedToken, TokenFault, Later, Alone>;

    /// The token, or how it is with it now. Never waits; whoever gets Later asks again soon.
    virtual Answer ask() = 0;
    /// The token that was answered last is no good.
    virtual void refuse() = 0;
    /// Nobody asks again for now. Never raises.
    virtual void abandon() noexcept = 0;
};

} // namespace reverse_etl
