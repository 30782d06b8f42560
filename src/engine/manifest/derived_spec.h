#pragma once

#include "engine/text/text_steps.h"

#include <memory>
#include <string>

namespace reverse_etl {

/// A value that only requests have: what steps make of a field's value, as it is sent.
struct DerivedSpec {
    std::string name; ///< of the placeholder {row.NAME}
    std::string from; ///< a field
    std::shared_ptr<const TextSteps> steps;
};

} // namespace reverse_etl
