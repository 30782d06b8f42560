#pragma once

#include "engine/text/json.h"
#include "scenario.h"
#include "virtual_transport.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl::simulation {

/// The destination. It knows what the client must never do, and says so with a Violation.
class VirtualVendor final : public Vendor {
  public:
    VirtualVendor(World &world, const Scenario &scenario);

    bool can_be_reached(const Sent &request) override;
    Milliseconds latency() override;
    std::optional<Response> serve(const Sent &request) override;
    void sent(const Sent &request) override;

    /// Whether it has carried the row out.
    bool has_taken(std::uint64_t row) const { return taken_.contains(row); }
    /// The rows of a key that were taken: the last one, and the latest one of all.
    struct Taken {
        std::uint64_t last = 0, latest = 0;
    };
    const std::map<std::pair<int, std::string>, Taken> &taken_of_keys() const { return taken_of_keys_; }
    /// Tells whether a row still waits to be sent, maybe again.
    void ask(std::function<bool(std::uint64_t)> waits) { waits_ = std::move(waits); }
    bool has_lied() const { return has_lied_; }
    /// Who counted the requests has lost the count: the limits' windows begin anew.
    void forget_windows() { departures_.clear(); }

    std::size_t requests() const { return requests_; }
    std::size_t token_requests() const { return token_requests_; }
    /// Answers that were no success, and those that never came.
    std::size_t failures() const { return failures_; }

  private:
    struct Record {
        std::string id;
        std::uint64_t written_by;
    };
    /// What an answer says of a row.
    struct RowAnswer {
        std::uint64_t row;
        std::string id, message;
        bool ok = true, waits = false, absent = false, mentioned = true;
    };

    const Spell *spell_for(const Sent &request, bool at_connect);
    Response token_for(const Sent &request);
    std::optional<Response> carry_out(const Sent &request, const Spell *spell);
    Response lookup(int object, const Json &inputs);
    std::vector<RowAnswer> apply(int object, const std::string &operation, const Json &inputs);
    RowAnswer apply_row(int object, const std::string &operation, const Json &input);
    void took(int object, const std::string &operation, const std::string &key, std::uint64_t row);
    Response answer_of(int object, std::vector<RowAnswer> rows, bool lies);
    Response status(long status, const std::string &body = "");
    int role_of(const Sent &request) const;

    World &world_;
    const Scenario &scenario_;
    std::map<std::pair<int, std::string>, Record> records_; ///< by object and key
    std::map<std::string, std::string> key_of_id_;
    std::map<std::uint64_t, int> taken_;                         ///< how often, by row
    std::map<std::pair<int, std::string>, Taken> taken_of_keys_; ///< by object and key
    std::function<bool(std::uint64_t)> waits_;
    std::map<std::string, std::pair<std::string, std::string>> answers_; ///< body and answer by idempotency key
    std::map<int, std::vector<Clock::time_point>> departures_;           ///< by role
    std::map<std::string, std::pair<int, Clock::time_point>> tokens_;    ///< role and end
    std::map<int, Clock::time_point> busy_until_;
    std::set<std::pair<int, int>> has_failed_; ///< object and role that were answered nothing but faults
    std::size_t requests_ = 0, token_requests_ = 0, failures_ = 0;
    std::uint64_t last_id_ = 0, last_token_ = 0;
    bool has_lied_ = false;
    std::map<std::tuple<const Spell *, int, int, long>, int> probes_; ///< by spell, object, role and hour
};

} // namespace reverse_etl::simulation
