#pragma once

#include "engine/manifest/check_spec.h"
#include "engine/requests/dispatcher.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// What the answer to a check tells.
struct CheckAnswer {
    std::string identity;                           ///< "" if it does not say who we are
    std::optional<std::vector<std::string>> scopes; ///< nothing if it does not say what we may do
    std::vector<std::string> missing;               ///< of what is needed
};

/// Makes a connector's check. Throws DestinationError when we are not let in, or nobody is there who could.
CheckAnswer run_check(const CheckSpec &check, const CompiledOperation &operation, Dispatcher &dispatcher);

} // namespace reverse_etl
