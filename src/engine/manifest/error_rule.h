#pragma once

#include "engine/manifest/condition.h"
#include "engine/manifest/header_spec.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reverse_etl {

/// What an error rule says to do with an answer.
enum class Action {
    proceed,      ///< no fault: read the outcomes
    wait,         ///< declined without being looked at; ask again later
    retry,        ///< a transient fault; what was asked may have been done
    reject,       ///< the rows are at fault
    absent,       ///< there is no such row
    accept,       ///< as good as done
    unauthorized, ///< the credentials are at fault
    stop,         ///< nothing more can be sent for now
};

struct ErrorRule {
    std::vector<long> statuses;                                ///< empty: any
    std::optional<std::pair<std::string, std::string>> header; ///< name in lower case, value
    Condition body;
    Action then = Action::reject;
    TimeHeader wait; ///< where the answer says how long to wait, if not in Retry-After
    Pointers reason; ///< empty: the connector's
};

} // namespace reverse_etl
