#pragma once

#include "engine/circuit.h"
#include "postgres/border.h"

#include <map>
#include <string>

namespace reverse_etl {

/// Whether a destination gets rows: a circuit for each role, whose credentials differ, and one for all of them, which
/// says that the destination as a whole cannot be used. What is wrong stands in reverse_etl.destination_states.
class DestinationHealth {
  public:
    explicit DestinationHealth(Oid destination) : destination_(destination) {}

    const Circuit &of(Oid role) { return circuits_[role]; }
    void succeeded(Oid role);
    void failed(Oid role, Fault fault, const std::string &reason);
    /// The destination as a whole cannot be used, until something about it changes.
    void unusable(const std::string &reason) { failed(InvalidOid, Fault::stopped, reason); }
    void usable() { succeeded(InvalidOid); }
    void retry_now();
    /// When the next one is tried that is not now; the end of time if none waits.
    Clock::time_point next_try(Clock::time_point now) const;

    /// This database did not take what was to be written, or not give what was to be read: nothing is claimed, sent or
    /// written for a while, longer each time.
    void hold(const Error &error);
    void release();
    bool is_held(Clock::time_point now) const { return now < held_until_; }
    Clock::time_point held_until() const { return held_until_; }
    /// How often in a row.
    int holds() const { return holds_; }

    bool has_changes() const { return changed_; }
    /// In a transaction; forget_changes() once it has committed.
    void store() const;
    void forget_changes();

  private:
    Oid destination_;
    std::map<Oid, Circuit> circuits_; ///< by role; InvalidOid for all
    std::map<Oid, Circuit::State> stored_;
    bool changed_ = false;
    Clock::time_point held_until_{};
    int holds_ = 0;
};

} // namespace reverse_etl
