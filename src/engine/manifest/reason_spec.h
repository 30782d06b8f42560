#pragma once

#include "engine/manifest/condition.h"
#include "engine/text/placeholders.h"

#include <vector>

namespace reverse_etl {

/// Where an answer gives its reason: at the first of the pointers where something stands, else it is this text.
struct ReasonSpec {
    Pointers at;
    std::vector<TextPart> text; ///< a placeholder stands for the name of an entry

    bool empty() const { return at.empty() && text.empty(); }
};

} // namespace reverse_etl
