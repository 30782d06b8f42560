#pragma once

#include "engine/manifest/header_spec.h"

#include <string>

namespace reverse_etl {

struct RateLimitSpec {
    std::string name;
    int requests = 0; ///< in `seconds`
    int seconds = 0;
    int concurrent = 0;   ///< requests under way at once, where the limit is one of those; else 0
    std::string for_each; ///< a template over the row; "" for one bucket in all
    NumberHeader limit_header, used_header, remaining_header; ///< what answers tell of it
    TimeHeader reset_header;
};

} // namespace reverse_etl
