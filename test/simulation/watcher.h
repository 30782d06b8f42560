#pragma once

#include "scenario.h"
#include "virtual_transport.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace reverse_etl::simulation {

/// Sees the requests as they leave, arrive and are answered, and knows what a client must never do, whatever becomes of
/// its rows: it says so with a Violation.
class Watcher {
  public:
    Watcher(World &world, const Scenario &scenario) : world_(world), scenario_(scenario) {}

    void sent(const Sent &request);
    void arrived(const Sent &request, Clock::time_point when);
    /// The client has the answer.
    void heard(const Sent &request, const Response &response);
    /// The client was killed. `forgets`: it has lost count of the limits as well.
    void client_is_gone(bool forgets);

    /// What was sent, against what it takes.
    void check_economy() const;
    /// In a rush: whether as much was sent at once as the vendor bears.
    void check_pace() const;

  private:
    /// Requests of one dispatcher, as far as can be told from outside.
    using Line = std::tuple<int, std::string, int, bool>; ///< object, operation, role, whether its rows have keys
    using RowSent = std::pair<std::uint64_t, bool>;       ///< and whether it was looked up

    Line line_of(const Sent &request) const;
    void token_sent(const Sent &request);
    void check_holds(const Sent &request);
    void check_places(const Sent &request);
    void check_outage(const Sent &request);
    void check_window(std::vector<Clock::time_point> &seen, Clock::duration window, Clock::time_point now) const;
    void check_rows(const Sent &request);
    const Spell *outage(const Sent &request) const;
    bool is_known_to_be_down(const Spell &spell, const Sent &request) const;
    std::size_t askers(int role) const;

    World &world_;
    const Scenario &scenario_;

    std::size_t requests_ = 0, token_requests_ = 0, failures_ = 0;
    int kills_ = 0;
    std::map<int, std::vector<Clock::time_point>> departures_, arrivals_; ///< by role
    std::map<int, Clock::time_point> quiet_until_, tokens_quiet_until_;   ///< by role: Retry-After
    std::map<Line, int> under_way_;
    std::map<int, std::size_t> tokens_under_way_; ///< by role

    struct Token {
        std::string token;
        Clock::time_point until;
    };
    std::map<int, Token> tokens_; ///< the latest, by role

    std::map<std::tuple<const Spell *, int, int, long>, int> probes_;              ///< by spell, object, role and hour
    std::map<std::tuple<const Spell *, int, int>, Clock::time_point> known_since_; ///< by spell, object and role

    std::map<RowSent, int> sends_;
    std::map<std::uint64_t, int> excuses_;           ///< by row: requests with it that went wrong
    std::map<std::pair<int, int>, int> excuses_all_; ///< by object and role: the same of any row
    std::map<int, int> token_excuses_;               ///< by role: tokens that did not come
    std::map<RowSent, Clock::time_point> failed_at_;
    std::size_t repeats_ = 0, repeats_at_once_ = 0;
    std::map<int, Clock::time_point> token_failed_at_; ///< by role
    std::size_t token_repeats_ = 0, token_repeats_at_once_ = 0;

    std::size_t served_ = 0, declined_ = 0;
    std::set<std::uint64_t> await_repeat_; ///< the first rows of requests that failed, and were not declined
    int most_at_once_ = 0;                 ///< in the later part of a rush
};

} // namespace reverse_etl::simulation
