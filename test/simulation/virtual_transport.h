#pragma once

#include "engine/http/transport.h"
#include "world.h"

#include <map>
#include <optional>

namespace reverse_etl::simulation {

/// A request as it travels.
struct Sent {
    std::string method, target, body;
    Headers headers;
    Clock::time_point at;

    std::string header(std::string_view name) const;
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
    virtual std::optional<Response> serve(const Sent &request) = 0;
    /// It has left.
    virtual void sent(const Sent &request) = 0;
};

/// Exchanges in virtual time.
class VirtualTransport final : public Transport {
  public:
    VirtualTransport(World &world, Vendor &vendor) : world_(world), vendor_(vendor) {}

    ExchangeId start(const Request &request) override;
    void cancel(ExchangeId id) override;
    void run(Waiter &waiter, Clock::time_point deadline, std::vector<Finished> &finished) override;
    void give_back(std::vector<Finished> finished) override;

    std::size_t in_flight() const { return exchanges_.size(); }
    std::size_t most_in_flight() const { return most_in_flight_; }
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
    std::size_t most_in_flight_ = 0;
};

} // namespace reverse_etl::simulation
