#pragma once

#include "engine/manifest/header_spec.h"

#include <string>

namespace reverse_etl {

struct RateLimitSpec {
    std::string name;
    /// So many of what is counted in `seconds`: requests, rows or points.
    int requests = 0;
    int seconds = 0;
    int concurrent = 0;           ///< requests under way at once, where the limit is one of those; else 0
    std::string unit = "request"; ///< of what is counted
    int each_request = 1;         ///< so many of them a request takes, and so many each of its rows
    int each_row = 0;
    ToldNumber cost;                                        ///< where an answer tells what its request took indeed
    std::string for_each;                                   ///< a template over the row; "" for one bucket in all
    ToldNumber limit_header, used_header, remaining_header; ///< what answers tell of it
    ToldTime reset_header;
};

} // namespace reverse_etl
