#pragma once

#include "engine/http/transport.h"
#include "engine/text/json.h"
#include "world.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl::simulation {

/// A request as it travels.
struct Sent {
    std::string method, target, body;
    Headers headers;

    /// As the vendor reads it when it leaves.
    int object = -1, role = 0;
    std::string operation; ///< "token" for a token
    Json inputs;
    std::vector<std::uint64_t> rows;
    bool is_one_too_many = false; ///< for the vendor's capacity
    int pace = 0;                 ///< the client's, where there is a capacity
    /// What its answer says: the rows that have to be sent again, and those of them that the vendor wants to wait.
    std::set<std::uint64_t> goes_again, waits;
    /// And how long it asks for quiet.
    std::optional<seconds> quiet;
    /// How long nothing is left of the window, which others use as well.
    std::optional<seconds> spent;

    std::string header(std::string_view name) const;
    std::string token() const { return header("Authorization").substr(7); }
    bool is_for_token() const { return operation == "token"; }
};

/// Who answers.
class Vendor {
  public:
    virtual ~Vendor() = default;
    /// Whether a connection can be made now.
    virtual bool can_be_reached(const Sent &request) = 0;
    /// How long a request, or an answer, is on its way.
    virtual Milliseconds latency() = 0;
    /// Carries the request out. Nothing: the connection breaks before there is an answer.
    virtual std::optional<Response> serve(Sent &request) = 0;
    /// It has left, and it has come.
    virtual void sent(Sent &request) = 0;
    virtual void arrived(const Sent &request, Clock::time_point when) = 0;
};

/// Exchanges in virtual time.
class VirtualTransport final : public Transport {
  public:
    VirtualTransport(World &world, Vendor &vendor) : world_(world), vendor_(vendor) {}

    ExchangeId start(const Request &request) override;
    void cancel(ExchangeId id) override;
    void run(Waiter &waiter, Clock::time_point deadline, std::vector<Finished> &finished) override;
    void give_back(std::vector<Finished> finished) override;

    /// Nothing is on its way.
    bool is_idle() const { return events_.empty(); }
    /// The rows of requests that the client has not heard of yet.
    std::set<std::uint64_t> rows_under_way() const;
    /// The request of an exchange that ended.
    Sent take_request(ExchangeId id) { return std::move(ended_requests_.extract(id).mapped()); }
    /// Those who made the requests are gone: no answer finds anybody, but what is on its way may arrive.
    void abandon_all();

  private:
    struct Exchange {
        Sent request;
        Clock::time_point times_out;
        std::shared_ptr<const void> place;
        std::optional<Response> response; ///< on its way back
    };

    void step();
    void answer(ExchangeId id, Clock::time_point when, Response response);

    World &world_;
    Vendor &vendor_;
    ExchangeId last_id_ = 0;
    std::map<ExchangeId, Exchange> exchanges_;
    std::multimap<Clock::time_point, ExchangeId> events_;
    std::vector<Finished> ended_;
    std::map<ExchangeId, Sent> ended_requests_;
};

} // namespace reverse_etl::simulation
