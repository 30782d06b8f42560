#include "simulation.h"
#include "uninterested.h"

#include <algorithm>

namespace reverse_etl::simulation {

namespace {

/// What this vendor's outboxes permit.
constexpr int most_attempts_of_a_row = 5, most_attempts_of_a_request = 3;

/// A row of a destination that answers others has its outcome within this time, whatever its neighbours do.
constexpr Clock::duration soon = minutes(30);
/// A row that was never at fault, after the last fault of all: a pause for refused credentials lasts an hour.
constexpr Clock::duration later = hours(3), a_while = minutes(3);
/// A row that is at fault itself, or tied to one: what no other is answered beside is tried for a day, and then some.
constexpr Clock::duration in_the_end = hours(240);

/// A turn of the worker takes time.
constexpr auto turn_takes = std::chrono::microseconds(50);
constexpr std::uint64_t most_turns = 300'000;

class NoWaiter final : public Waiter {
  public:
    bool wait(int, long) override { return false; }
} nobody;

OperationKind kind_of(const std::string &name) {
    for (OperationKind kind : {OperationKind::create, OperationKind::update, OperationKind::upsert})
        if (name == operation_name(kind))
            return kind;
    return OperationKind::remove;
}

} // namespace

Simulation::Simulation(std::uint64_t seed, bool telling)
    : world_(seed, telling), scenario_(world_), pauses_(world_, scenario_), vendor_(world_, scenario_, pauses_),
      connector_(connector_of(scenario_)), transport_(world_, vendor_), limiter_(std::make_unique<RateLimiter>()) {
    for (const char *name : object_names)
        objects_.push_back(std::make_shared<const Object>(connector_.object(name, {})));
    destinations_.reserve(object_count);
    for (int i = 0; i < object_count; i++)
        destinations_.emplace_back(world_, vendor_, pauses_);
    vendor_.ask([this](std::uint64_t row) {
        return destinations_[scenario_.orders[row - 1].object].outbox.rows().contains(row);
    });
    vendor_.ask_pace([this] { return pace(); });
}

void Simulation::start_process() {
    authenticators_.clear();
    for (int role = 0; role < scenario_.roles; role++)
        authenticators_.push_back(std::make_shared<Authenticator>(
            connector_.auth(), Settings{{"client_id", "role" + std::to_string(role)}, {"client_secret", "secret"}}));
    for (Destination &destination : destinations_) {
        destination.outbox.start_over();
        destination.health = std::make_unique<Health>();
        destination.queue = std::make_unique<DeliveryQueue>(destination.outbox, *destination.health);
        destination.queue->use({most_attempts_of_a_row, true, {}});
    }
}

std::unique_ptr<DeliveryLane> Simulation::open_lane(int object, const LaneKey &key, KeyQueue &rows, OutcomeSink &sink) {
    const std::shared_ptr<const Object> &of = objects_[object];
    const OperationKind kind = kind_of(key.operation);
    const bool by_id = kind == OperationKind::update || kind == OperationKind::remove;
    std::vector<StatementColumn> columns;
    for (std::size_t i = 0; i < key.names.size() && (by_id || i < key.of_row); i++)
        columns.push_back({key.names[i], i < key.of_row});
    const auto email = std::find(key.names.begin(), key.names.begin() + key.of_row, "email");
    const int named_by = static_cast<int>(email - key.names.begin());
    const OperationSpec &spec = of->operations.at(kind);
    std::optional<AfterLookup> after;
    if (by_id)
        after.emplace(by_found_id(*of, spec, columns, NullAs::omit, NullAs::omit));
    const int role = static_cast<int>(key.role) - 1;
    Policy policy;
    policy.max_in_flight = scenario_.max_in_flight;
    policy.max_attempts = most_attempts_of_a_request;
    policy.timeout = seconds(20);
    policy.account = "account" + std::to_string(role);
    policy.idempotency_scope = "simulation/" + std::to_string(object);
    Route route{of,
                by_id ? compile_lookup(*of, std::move(columns), {"email"})
                      : CompiledOperation(*of, spec, std::move(columns), named_by, {}),
                NullAs::omit,
                std::move(after),
                authenticators_[role],
                std::move(policy)};
    pace_ = bucket_key(route.policy.account + "/pace/" + route.operation.request_line());
    return std::make_unique<DeliveryLane>(std::move(route), Surroundings{transport_, nobody, *limiter_}, rows, sink,
                                          std::make_unique<Uninterested>());
}

void Simulation::run() {
    start_process();
    while (!is_over()) {
        try {
            turn();
        } catch (const Killed &) {
            die();
        }
        check();
    }
    check_outcomes();
    vendor_.watcher().check_pace();
}

bool Simulation::is_over() const {
    return next_ == scenario_.orders.size() &&
           std::all_of(destinations_.begin(), destinations_.end(),
                       [](const Destination &destination) { return destination.outbox.is_empty(); });
}

Clock::time_point Simulation::next_order() const {
    return next_ == scenario_.orders.size() ? Clock::time_point::max() : World::began() + scenario_.orders[next_].at;
}

void Simulation::enqueue() {
    while (next_order() <= world_.now()) {
        const Order &order = scenario_.orders[next_++];
        destinations_[order.object].outbox.enqueue(order);
    }
}

/// As the server's worker does it, with everything in a transaction that belongs into one.
void Simulation::turn() {
    world_.move_to(world_.now() + turn_takes);
    if (world_.chance(scenario_.jump)) {
        world_.tell("the clocks jump");
        world_.shift_wall_clock(seconds(world_.between(-100'000, 100'000)));
        if (world_.chance(0.3))
            world_.move_to(world_.now() + seconds(world_.between(1, 10'000)));
    }
    enqueue();
    for (int i = 0; i < object_count; i++) {
        Destination &destination = destinations_[i];
        destination.outbox.claim(*destination.queue, scenario_.most_rows);
        destination.queue->open_lanes([this, i](const LaneKey &key, KeyQueue &rows, OutcomeSink &sink) {
            return DeliveryQueue::OpenedLane{open_lane(i, key, rows, sink), ""};
        });
    }
    may_be_killed();
    Clock::time_point next = next_order();
    for (Destination &destination : destinations_)
        next = std::min(next, destination.queue->send(world_.now(), true));
    // A token that another asked for may be given up.
    for (int i = 0; i < object_count; i++)
        tell_health(i);
    may_be_killed();
    for (Destination &destination : destinations_)
        if (destination.queue->marks_follow_outcomes())
            settle(destination);
    for (Destination &destination : destinations_)
        if (destination.queue->has_marks()) {
            destination.outbox.note(destination.queue->marks());
            next = world_.now();
        }
    may_be_killed();
    for (Destination &destination : destinations_)
        destination.queue->submit_marked();
    may_be_killed();
    for (Destination &destination : destinations_)
        if (destination.outbox.has_changes()) {
            // What several turns bring is written down together, as the worker does it under load.
            const bool is_put_off = world_.chance(scenario_.puts_off);
            if (!is_put_off)
                settle(destination);
            next = is_put_off ? std::min(next, world_.now() + Milliseconds(5)) : world_.now();
        }
    may_be_killed();
    check_sleep(next);
    std::vector<Finished> finished;
    transport_.run(nobody, next, finished);
    may_be_killed();
    for (const Finished &one : finished) {
        const Sent request = transport_.take_request(one.id);
        vendor_.heard(request, one.response);
        if (!take(one, request.role))
            throw Violation("an answer finds nobody who asked");
        if (request.is_one_too_many && pace() < request.pace / 2)
            throw Violation("requests that left together halve the pace several times");
    }
}

int Simulation::pace() {
    return limiter_->permitted(pace_, scenario_.max_in_flight, world_.now());
}

bool Simulation::take(const Finished &finished, int role) {
    for (int i = 0; i < object_count; i++)
        if (destinations_[i].queue->take(finished)) {
            tell_health(i, role);
            return true;
        }
    return false;
}

/// What became of the destination's circuits, with an answer for one role or without any.
void Simulation::tell_health(int object, std::optional<int> of_role) {
    for (int role = 0; role < scenario_.roles; role++) {
        const Circuit &circuit = destinations_[object].health->of(static_cast<std::uint32_t>(1 + role));
        if (circuit.state() != Circuit::State::closed)
            pauses_.destination_rests(object, role, circuit.retry_at(), transport_.rows_under_way());
        else if (pauses_.destination_works(object, role) && role != of_role)
            throw Violation("what is answered for one role ends the pause of another");
    }
}

/// Somebody comes for the rows that wait, and as soon as they may go.
void Simulation::check_sleep(Clock::time_point until) const {
    if (until == Clock::time_point::max() && transport_.is_idle() && !is_over())
        throw Violation("rows wait, and nobody comes for them");
    for (const Destination &destination : destinations_)
        for (const auto &[id, stored] : destination.outbox.rows()) {
            const Circuit &circuit = destination.health->of(static_cast<std::uint32_t>(1 + stored.order->role));
            const bool is_open = circuit.state() != Circuit::State::closed && circuit.retry_at() > world_.now();
            if (is_open && until > circuit.retry_at() && destination.queue->rows().contains(id))
                throw Violation("row " + std::to_string(id) +
                                " waits, and nobody comes when its destination's pause ends");
        }
}

void Simulation::settle(Destination &destination) {
    destination.outbox.commit();
    destination.queue->rows().forget_finished();
    destination.outbox.check_notes(transport_.rows_under_way());
}

void Simulation::may_be_killed() {
    if (kills_ < scenario_.most_kills && world_.chance(scenario_.kill))
        throw Killed();
}

void Simulation::die() {
    kills_++;
    world_.tell("the worker is killed");
    if (!scenario_.crashes)
        limiter_->give_back_all(world_.now());
    transport_.abandon_all();
    for (Destination &destination : destinations_)
        destination.queue.reset();
    if (scenario_.crashes)
        limiter_ = std::make_unique<RateLimiter>();
    vendor_.client_is_gone(scenario_.crashes);
    world_.move_to(world_.now() + world_.between(Milliseconds(10), Milliseconds(5000)));
    start_process();
}

/// Whether the row has to share the fate of one that is at fault: of its key, or of its request.
bool Simulation::is_tied_to_poison(const Order &order) const {
    auto shares_request = [](const Order &one) { return one.object == 1 && one.operation == OperationKind::create; };
    return std::any_of(scenario_.orders.begin(), scenario_.orders.end(), [&](const Order &other) {
        return other.poison != Poison::none && other.object == order.object &&
               (other.id == order.id || (!order.key.empty() && other.key == order.key) || shares_request(other));
    });
}

Clock::duration Simulation::deadline(const Order &order) const {
    // In a small memory rows stand in line behind those that are tied to others.
    const bool is_crowded = scenario_.has_poison && scenario_.most_rows < scenario_.orders.size();
    // And lanes whose tokens end each other's lose the places in a window that they had.
    if (is_tied_to_poison(order) || is_crowded || scenario_.jump > 0 || scenario_.revokes || scenario_.forgets > 0)
        return std::max(order.at, scenario_.calm) + in_the_end;
    Clock::duration limits{};
    if (scenario_.requests_a_window > 0)
        limits = 3 * seconds(scenario_.window_seconds) * scenario_.orders.size() / scenario_.requests_a_window;
    if (scenario_.capacity > 0)
        limits += scenario_.orders.size() * scenario_.latency;
    // The changes of its key go one after the other, each with a token, a look-up and a request perhaps.
    const auto of_key = std::count_if(scenario_.orders.begin(), scenario_.orders.end(), [&](const Order &other) {
        return other.object == order.object && !order.key.empty() && other.key == order.key;
    });
    limits += of_key * 3 * 2 * (scenario_.latency + scenario_.jitter);
    if (scenario_.spent > 0)
        limits += seconds(scenario_.window_seconds) * scenario_.orders.size();
    if (scenario_.spells.empty())
        return limits + order.at + soon;
    Clock::duration ill{};
    for (const Spell &spell : scenario_.spells)
        ill += spell.to - spell.from;
    // What waits for nobody is tried again after as long as it was down, about, and soon.
    const Clock::duration pause = has(Spell::Kind::denied) ? Clock::duration(later)
                                  : scenario_.has_poison   ? Clock::duration(soon)
                                                           : std::min<Clock::duration>(soon, a_while + 2 * ill);
    return limits + std::max(order.at, scenario_.calm) + pause;
}

bool Simulation::has(Spell::Kind kind) const {
    return std::any_of(scenario_.spells.begin(), scenario_.spells.end(),
                       [kind](const Spell &spell) { return spell.kind == kind; });
}

void Simulation::check() {
    if (++turns_ > most_turns)
        throw Violation("it turns and turns and does not come to an end");
    for (const Destination &destination : destinations_) {
        const KeyQueue &rows = destination.queue->rows();
        // After a kill requests that were made before come whole.
        const std::size_t room = scenario_.most_rows + (kills_ > 0 ? std::ranges::max(rows_of_a_request) - 1 : 0);
        if (rows.size() > room)
            throw Violation("more rows are in memory than there is room for");
        if (rows.size() == 0 && (rows.bytes() != 0 || rows.under_way() != 0))
            throw Violation("what no row holds is not given back");
        if (turns_ % 16 == 0)
            for (const auto &[id, stored] : destination.outbox.rows())
                if (world_.elapsed() > deadline(*stored.order))
                    throw Violation("row " + std::to_string(id) + " has waited too long");
    }
    vendor_.watcher().check_economy();
}

void Simulation::check_outcomes() const {
    for (const auto &[key, taken] : vendor_.taken_of_keys()) {
        if (taken.last == taken.latest)
            continue;
        // After a kill the latest may have become one with changes that came after it, and shares their lot: where
        // nothing was to be changed, nothing may be there.
        const Outcome &latest = destinations_[key.first].outbox.last_outcome(taken.latest);
        const bool is_gone = latest.kind == Outcome::Kind::absent && (!vendor_.has(key) || has(Spell::Kind::lying));
        if (latest.kind != Outcome::Kind::rejected && !is_gone)
            throw Violation("row " + std::to_string(taken.last) + " stands where row " + std::to_string(taken.latest) +
                            " should");
    }
    for (const Order &order : scenario_.orders) {
        const auto &outcomes = destinations_[order.object].outbox.outcomes();
        const auto found = outcomes.find(order.id);
        if (found == outcomes.end())
            throw Violation("row " + std::to_string(order.id) + " has no outcome");
        const Outcome &outcome = found->second;
        const bool is_create = order.operation == OperationKind::create;
        if (is_create && outcome.kind == Outcome::Kind::replaced)
            throw Violation("row " + std::to_string(order.id) + " is a create, and another stands in for it");
        const bool is_free = order.poison == Poison::none && !is_tied_to_poison(order) && !has(Spell::Kind::lying);
        const bool unknown = outcome.reason.starts_with("outcome unknown");
        if (outcome.kind == Outcome::Kind::rejected && is_create && !unknown && vendor_.has_taken(order.id))
            throw Violation("row " + std::to_string(order.id) + " counts as rejected, but the destination has it");
        // What is made as often as one likes is not left in doubt for a single answer.
        const bool is_excused = (unknown && is_create) || outcome.reason.starts_with("gave up");
        if (is_free && outcome.kind == Outcome::Kind::rejected && !is_excused)
            throw Violation("row " + std::to_string(order.id) + " pays for a fault that passes: " + outcome.reason);
        if (order.poison != Poison::none || !scenario_.spells.empty() || outcome.kind != Outcome::Kind::rejected)
            continue;
        if (!is_create || (!scenario_.has_poison && scenario_.kill == 0 && scenario_.jump == 0))
            throw Violation("row " + std::to_string(order.id) +
                            " was rejected without a fault of its own: " + outcome.reason);
    }
}

std::string Simulation::story() const {
    return scenario_.summary() + "...\n" + world_.story();
}

} // namespace reverse_etl::simulation
