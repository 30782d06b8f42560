#pragma once

#include "engine/world/clock.h"

#include <cstddef>
#include <cstdint>

namespace reverse_etl {

/// Throws away history that is older than reverse_etl.keep_history and reverse_etl.keep_rejected_rows allow: once an
/// hour, in small steps with pauses between them, so that deliveries do not wait.
class History {
  public:
    /// Takes a step if one is due. When the next one is.
    Clock::time_point purge(Clock::time_point now);

  private:
    std::size_t kind_ = 0;
    std::int64_t after_ = 0; ///< the row after which the next step begins
    Clock::time_point next_{};
};

} // namespace reverse_etl
