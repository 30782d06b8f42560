#pragma once

#include "engine/manifest/condition.h"

#include <optional>
#include <string>
#include <vector>

namespace reverse_etl {

/// How an entry of an answer finds its row.
struct Pairing {
    enum class By { number, key } by = By::number;
    std::string pointer;
};

/// How one part of an answer tells what became of rows.
struct ResultSpec {
    std::optional<std::string> each; ///< pointer to the array of entries; none: the answer is the one entry
    bool by_position = false;
    std::vector<Pairing> pairings;
    bool rejected = false; ///< entries are failures, unless accepted_when says otherwise
    Condition accepted_when, wait_when, absent_when;
    std::string id; ///< pointer to the destination's id of the row; "" for none
    Pointers reason;
};

} // namespace reverse_etl
