#pragma once

#include "scenario.h"
#include "virtual_transport.h"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace reverse_etl::simulation {

/// Knows what the queue has said will wait, and sees that it does: rows that failed, destinations that are down, and
/// credentials that were refused.
class Pauses {
  public:
    Pauses(const World &world, const Scenario &scenario) : world_(world), scenario_(scenario) {}

    void sent(const Sent &request);
    /// The client has the answer.
    void heard(const Sent &request, const Response &response);

    /// The row goes again when it is due. `reason`: why an attempt of it failed; "" where none did.
    void row_deferred(std::uint64_t row, int attempts, Clock::time_point due, const std::string &reason);
    /// It was read, and is not due yet.
    void row_waits(std::uint64_t row, Clock::time_point due) { waits_[row] = due; }
    void row_ended(std::uint64_t row);
    /// The destination gets no rows of the role before `until`, but for those that are under way.
    void destination_rests(int object, int role, Clock::time_point until, const std::set<std::uint64_t> &under_way);
    /// It gets them again. Answers whether it rested.
    bool destination_works(int object, int role) { return rests_.erase({object, role}) > 0; }
    /// With the process goes what it had not written down. `forgets`: what it shared with others as well.
    void client_is_gone(bool forgets);

  private:
    void check_due(std::uint64_t row) const;
    void check_company(const Sent &request) const;
    void check_rest(const Sent &request) const;
    void check_quiet(const Sent &request);
    void check_asked(const Sent &request);
    void check_credentials(const Sent &request) const;
    void be_quiet(int role, Clock::duration time);
    void check_growth(std::uint64_t row, Clock::time_point due);
    void somebody_is_told(std::uint64_t row);
    const Order &order(std::uint64_t row) const { return scenario_.orders[row - 1]; }

    struct Rest {
        Clock::time_point until;
        std::set<std::uint64_t> under_way;
    };
    const World &world_;
    const Scenario &scenario_;
    std::map<std::uint64_t, Clock::time_point> waits_;        ///< until when, by row
    std::set<std::uint64_t> failed_;                          ///< rows of which an attempt failed
    std::set<std::uint64_t> had_no_token_;                    ///< rows, which says nothing of them
    std::map<std::pair<int, int>, Rest> rests_;               ///< by object and role
    std::map<int, Clock::time_point> quiet_;                  ///< until when, by role
    std::map<int, std::deque<Clock::time_point>> departures_; ///< by role, where a window has a limit
    std::map<std::uint64_t, int> refused_;             ///< by row: how often its credentials were, one after the other
    std::map<int, int> tokens_failed_;                 ///< by role: since a row was told
    std::map<std::uint64_t, int> attempts_;            ///< by row
    std::map<std::uint64_t, Clock::time_point> asked_; ///< by row, the first of those that were asked to wait together
    std::size_t repeats_ = 0, repeats_at_once_ = 0;    ///< of these
    Clock::time_point last_due_{};
    int doublings_ = 0; ///< of pauses that were no longer than the first
    bool has_grown_ = false;
};

} // namespace reverse_etl::simulation
