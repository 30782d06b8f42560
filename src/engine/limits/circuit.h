#pragma once

#include "engine/http/transport.h"
#include "engine/text/errors.h"

#include <algorithm>
#include <string>

namespace reverse_etl {

/// Whether a destination is worth a request now. A fault that only people can mend (credentials, a host's name)
/// pauses it at once; any other opens the circuit after repeated failure. Now and then one request tries whether that
/// has passed, and the first success closes it.
class Circuit {
  public:
    enum class State {
        closed,
        failing, ///< faults that pass: tried again within minutes
        paused,  ///< faults that wait for someone: tried again within the hour
    };

    State state() const { return state_; }
    const std::string &reason() const { return reason_; }
    int failures() const { return failures_; }

    /// How many requests may go now: any number when it is closed, one to try, none before retry_at().
    bool may_send(Clock::time_point now, std::size_t in_flight) const;
    Clock::time_point retry_at() const { return retry_at_; }

    void succeeded();
    /// Something that outlasted all attempts, or cannot be mended by trying.
    void failed(Fault fault, const std::string &reason, Clock::time_point now);
    /// Someone says that it may be mended.
    void retry_now(Clock::time_point now) { retry_at_ = std::min(retry_at_, now); }

  private:
    State state_ = State::closed;
    std::string reason_;
    int failures_ = 0;
    Clock::time_point retry_at_{};
};

} // namespace reverse_etl
