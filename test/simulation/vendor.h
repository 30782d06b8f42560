#pragma once

#include "engine/text/json.h"
#include "pauses.h"
#include "scenario.h"
#include "virtual_transport.h"
#include "watcher.h"

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
    VirtualVendor(World &world, const Scenario &scenario, Pauses &pauses);

    bool can_be_reached(const Sent &request) override;
    Milliseconds latency() override;
    std::optional<Response> serve(Sent &request) override;
    void sent(Sent &request) override;
    void arrived(const Sent &request, Clock::time_point when) override;
    /// The client has the answer; and nobody waits for any, since it was killed.
    void heard(const Sent &request, const Response &response);
    void client_is_gone(bool forgets);

    const Watcher &watcher() const { return watcher_; }

    /// Whether it has carried the row out.
    bool has_taken(std::uint64_t row) const { return taken_.contains(row); }
    /// Whether the row was in a request that arrived, or may have been by what a killed client knows; and whether it
    /// was said that it is not there.
    bool has_seen(std::uint64_t row) const { return was_killed_ || seen_.contains(row); }
    bool has_said_absent(std::uint64_t row) const { return said_absent_.contains(row); }
    /// The rows of a key that were taken: the last one, and the latest one of all.
    struct Taken {
        std::uint64_t last = 0, latest = 0;
    };
    const std::map<std::pair<int, std::string>, Taken> &taken_of_keys() const { return taken_of_keys_; }
    /// Whether there is anything of the key.
    bool has(const std::pair<int, std::string> &key) const { return records_.contains(key); }
    /// Tells whether a row still waits to be sent, maybe again.
    void ask(std::function<bool(std::uint64_t)> waits) { waits_ = std::move(waits); }
    /// Tells how many requests the client permits itself at once, where there is a capacity.
    void ask_pace(std::function<int()> pace) { pace_ = std::move(pace); }

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

    const Spell *spell_for(const Sent &request);
    Response token_for(const Sent &request);
    Response carry_out(Sent &request, bool lies);
    std::optional<Response> refusal_of(const Sent &request);
    Response lookup(Sent &request, bool lies);
    Response told(Sent &request);
    void ask_for_quiet(Sent &request, Response &response);
    void tell_of_others(Sent &request, Response &response);
    RowAnswer apply_row(int object, const std::string &operation, const Json &input);
    void took(int object, const std::string &operation, const std::string &key, std::uint64_t row);
    Response answer_of(Sent &request, std::vector<RowAnswer> rows, bool lies);
    void falsify(const Sent &request, std::vector<RowAnswer> &rows);
    Response status(long status, std::string body = "");
    int role_of(const Sent &request) const;

    World &world_;
    const Scenario &scenario_;
    std::map<std::pair<int, std::string>, Record> records_; ///< by object and key
    std::map<std::string, std::string> key_of_id_;
    std::map<std::uint64_t, int> taken_;                         ///< how often, by row
    std::map<std::pair<int, std::string>, Taken> taken_of_keys_; ///< by object and key
    std::function<bool(std::uint64_t)> waits_;
    std::function<int()> pace_;
    std::set<std::uint64_t> seen_, said_absent_;
    struct Kept {
        std::string request, answer;
        std::set<std::uint64_t> goes_again, waits;
    };
    std::map<std::string, Kept> answers_;                             ///< by idempotency key
    std::map<std::string, std::pair<int, Clock::time_point>> tokens_; ///< role and end
    bool was_killed_ = false;
    int in_service_ = 0; ///< requests, where there is a capacity
    std::uint64_t last_id_ = 0, last_token_ = 0;
    Pauses &pauses_;
    Watcher watcher_;
};

} // namespace reverse_etl::simulation
