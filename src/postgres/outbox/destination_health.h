#pragma once

#include "engine/limits/health.h"
#include "postgres/border/border.h"

#include <map>

namespace reverse_etl {

/// The health of a destination, as it stands in reverse_etl.destination_states.
class DestinationHealth : public Health {
  public:
    explicit DestinationHealth(Oid destination) : destination_(destination) {}

    void retry_now();

    /// This database did not take what was to be written, or not give what was to be read: nothing is claimed, sent or
    /// written for a while, longer each time. What it was, for people.
    void hold(const Error &error, const char *what);
    void release();
    bool is_held(Clock::time_point now) const { return now < held_until_; }
    Clock::time_point held_until() const { return held_until_; }
    /// How often in a row.
    int holds() const { return holds_; }

    /// In a transaction; forget_changes() once it has committed.
    void store() const;
    void forget_changes();

  private:
    Oid destination_;
    std::map<Oid, Circuit::State> stored_;
    Clock::time_point held_until_{};
    int holds_ = 0;
};

} // namespace reverse_etl
