#pragma once

#include "durable_outbox.h"

#include "engine/limits/rate_limiter.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reverse_etl::simulation {

/// One run: a worker that delivers the outboxes of one vendor's objects, as the server's does, until all is over.
class Simulation {
  public:
    Simulation(std::uint64_t seed, bool telling);

    /// Throws Violation.
    void run();

    const World &world() const { return world_; }
    std::string story() const;

  private:
    struct Killed {};
    struct Destination {
        Destination(World &world, const VirtualVendor &vendor, Pauses &pauses) : outbox(world, vendor, pauses) {}
        DurableOutbox outbox;
        std::unique_ptr<Health> health;
        std::unique_ptr<DeliveryQueue> queue;
    };

    void start_process();
    void turn();
    void may_be_killed();
    void settle(Destination &destination);
    void die();
    void enqueue();
    bool is_over() const;
    std::unique_ptr<DeliveryLane> open_lane(int object, const LaneKey &key, KeyQueue &rows, OutcomeSink &sink);
    Clock::time_point next_order() const;
    bool take(const Finished &finished, int role);
    void tell_health(int object, std::optional<int> of_role = {});
    /// How many requests may be under way at once, where all are of one lane.
    int pace();

    /// What must hold at any time, and in the end.
    void check();
    void check_sleep(Clock::time_point until) const;
    void check_outcomes() const;
    /// When a row that waits has waited too long.
    bool is_tied_to_poison(const Order &order) const;
    bool has(Spell::Kind kind) const;
    Clock::duration deadline(const Order &order) const;

    World world_;
    const Scenario scenario_;
    Pauses pauses_;
    VirtualVendor vendor_;
    const Connector connector_;
    std::vector<std::shared_ptr<const Object>> objects_;
    VirtualTransport transport_;
    std::unique_ptr<RateLimiter> limiter_;
    std::vector<std::shared_ptr<Authenticator>> authenticators_; ///< by role
    std::vector<Destination> destinations_;
    BucketKey pace_{};     ///< the name of the last lane's
    std::size_t next_ = 0; ///< of the orders
    int kills_ = 0;
    std::uint64_t turns_ = 0;
};

} // namespace reverse_etl::simulation
