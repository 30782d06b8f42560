#pragma once

#include "engine/http/transport.h"
#include "engine/text/headers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// A request as it would be sent.
struct ShownRequest {
    std::string method, url;
    Headers headers;
    std::string body;
    std::vector<std::uint64_t> rows; ///< their numbers
    std::string operation;           ///< whose request it is
};

/// Stands in for the network. Whoever has one in its policy sends nothing, counts against no limit, fetches no token,
/// and waits for nothing.
class Rehearsal {
  public:
    virtual ~Rehearsal() = default;

    /// Takes a request. The answer that it gets; nothing: then its rows count as accepted, and a read finds nothing.
    virtual std::optional<Response> exchange(const ShownRequest &request) = 0;

    /// Whether the request is shown with the credentials in it. Else stars stand for them.
    virtual bool shows_credentials() const { return false; }
};

} // namespace reverse_etl
