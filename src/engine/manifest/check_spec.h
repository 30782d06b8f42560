#pragma once

#include "engine/manifest/operation_spec.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// The request by which a connector finds out whether it is let in, and as whom.
struct CheckSpec {
    OperationSpec operation;         ///< reads, and has no rows
    Pointers identity;               ///< where the answer says who we are
    std::string scopes_header;       ///< that lists what we may do, in lower case; "" for none
    Pointers scopes;                 ///< where the answer lists it
    std::vector<std::string> needed; ///< what the connector cannot do without
};

} // namespace reverse_etl
