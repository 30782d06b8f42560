#pragma once

#include "engine/http/transport.h"

#include <optional>

namespace reverse_etl {

/// How many requests of one operation a statement may have under way: as many as its option says, until the
/// destination shows that it is too much. Then half as many, and one more for each round of good answers. Flat, and all
/// zeros is one that has learnt nothing, since it stands in shared memory.
class Pace {
  public:
    /// Of so many that the option permits, so many are permitted now; at least one.
    int permitted(int most) const;

    /// An answer came; `took` is how long that was, if it is known. The request began at `began`.
    void answered(int most, Clock::time_point began, std::optional<Clock::duration> took, Clock::time_point now);

    /// The destination asked for fewer requests. What began before it was last heeded says nothing new.
    void declined(int most, Clock::time_point began, Clock::time_point now);

  private:
    bool slower_than_usual(Clock::duration took);
    void halve(int most, double at_least, Clock::time_point now);

    double permitted_;         ///< 0: nothing learnt
    double usual_ms_;          ///< follows the answers' times, fast when they fall and slowly when they rise
    double recent_ms_;         ///< of the last answers
    Clock::time_point halved_; ///< last time
};

} // namespace reverse_etl
