#pragma once

#include "engine/limits/circuit.h"

#include <cstdint>
#include <map>
#include <string>

namespace reverse_etl {

/// Whether a destination gets rows: a circuit for each role, whose credentials differ, and one for all of them, which
/// says that the destination as a whole cannot be used.
class Health {
  public:
    static constexpr std::uint32_t all_roles = 0;

    const Circuit &of(std::uint32_t role) { return circuits_[role]; }
    void succeeded(std::uint32_t role);
    void failed(std::uint32_t role, Fault fault, const std::string &reason);
    /// Until something about the destination changes.
    void unusable(const std::string &reason) { failed(all_roles, Fault::stopped, reason); }
    void usable() { succeeded(all_roles); }
    /// Someone says that what is wrong may be mended.
    void retry_now();
    /// When the next one is tried that is not now; the end of time if none waits.
    Clock::time_point next_try(Clock::time_point now) const;

    bool has_changes() const { return changed_; }

  protected:
    std::map<std::uint32_t, Circuit> circuits_; ///< by role
    bool changed_ = false;
};

} // namespace reverse_etl
