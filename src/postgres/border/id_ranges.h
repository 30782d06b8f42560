#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace reverse_etl {

/// Numbers as ranges without gaps, both ends included. Most rows were queued side by side and leave together: as ranges
/// they are few, and found faster than one after another.
struct IdRanges {
    explicit IdRanges(std::vector<std::int64_t> ids) {
        std::sort(ids.begin(), ids.end());
        for (std::int64_t id : ids)
            if (!last.empty() && last.back() == id - 1) {
                last.back() = id;
            } else {
                first.push_back(id);
                last.push_back(id);
            }
    }

    std::vector<std::int64_t> first, last;
};

} // namespace reverse_etl
