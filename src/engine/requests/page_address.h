#pragma once

#include "engine/requests/dispatcher.h"

#include <optional>
#include <string>

namespace reverse_etl {

/// The address that the answer to a job refers to (RFC 3986 section 5), as one of the operation's. Nothing if it is not
/// of the same scheme, host and port: the credentials go with the request, and never to another host.
std::optional<std::string> page_address(const CompiledOperation &operation, const Dispatcher &dispatcher,
                                        const Job &job, const std::string &reference);

} // namespace reverse_etl
