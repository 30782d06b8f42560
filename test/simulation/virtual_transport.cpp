#include "virtual_transport.h"

#include <iterator>
#include <utility>

namespace reverse_etl::simulation {

std::string Sent::header(std::string_view name) const {
    for (const auto &[one, value] : headers)
        if (one == name)
            return value;
    return "";
}

ExchangeId VirtualTransport::start(const Request &request) {
    Exchange exchange{{}, world_.now() + request.timeout, request.place, std::nullopt};
    exchange.request.method = request.method;
    exchange.request.target = request.url.substr(request.url.find('/', request.url.find("://") + 3));
    exchange.request.body = request.body;
    exchange.request.headers = request.headers;
    const ExchangeId id = ++last_id_;
    vendor_.sent(exchange.request);
    const bool reached = vendor_.can_be_reached(exchange.request);
    exchanges_.emplace(id, std::move(exchange));
    if (reached)
        events_.emplace(world_.now() + vendor_.latency(), id);
    else
        answer(id, world_.now() + Milliseconds(5), {Failure::not_connected, "connection refused", 0, {}, "", {}});
    return id;
}

std::set<std::uint64_t> VirtualTransport::rows_under_way() const {
    std::set<std::uint64_t> rows;
    for (const auto &[id, exchange] : exchanges_)
        rows.insert(exchange.request.rows.begin(), exchange.request.rows.end());
    for (const auto &[id, request] : ended_requests_)
        rows.insert(request.rows.begin(), request.rows.end());
    return rows;
}

void VirtualTransport::cancel(ExchangeId id) {
    exchanges_.erase(id);
    ended_requests_.erase(id);
    std::erase_if(ended_, [id](const Finished &finished) { return finished.id == id; });
}

void VirtualTransport::abandon_all() {
    ended_.clear();
    for (auto &[id, exchange] : exchanges_)
        if (!exchange.response && world_.chance(0.5))
            vendor_.serve(exchange.request);
    exchanges_.clear();
    events_.clear();
    ended_requests_.clear();
}

void VirtualTransport::answer(ExchangeId id, Clock::time_point when, Response response) {
    exchanges_.at(id).response = std::move(response);
    events_.emplace(when, id);
}

void VirtualTransport::step() {
    const auto event = events_.begin();
    const auto [due, id] = *event;
    world_.move_to(std::max(world_.now(), due));
    events_.erase(event);
    const auto found = exchanges_.find(id);
    if (found == exchanges_.end())
        return;
    Exchange &exchange = found->second;
    if (exchange.response) {
        ended_.push_back({id, std::move(*exchange.response)});
        ended_requests_.emplace(id, std::move(exchange.request));
        exchanges_.erase(found);
        return;
    }
    Response broken{Failure::interrupted, "the connection broke", 0, {}, "", {}};
    if (world_.now() >= exchange.times_out) {
        answer(id, world_.now(), std::move(broken));
        return;
    }
    // The network does not stand still while the clocks jump.
    vendor_.arrived(exchange.request, due);
    std::optional<Response> response = vendor_.serve(exchange.request);
    Clock::time_point arrives = world_.now() + vendor_.latency();
    if (!response || arrives > exchange.times_out)
        answer(id, std::min(arrives, exchange.times_out), std::move(broken));
    else
        answer(id, arrives, std::move(*response));
}

void VirtualTransport::run(Waiter &, Clock::time_point deadline, std::vector<Finished> &finished) {
    while (ended_.empty() && !events_.empty() && events_.begin()->first <= deadline)
        step();
    if (ended_.empty() && deadline != Clock::time_point::max())
        world_.move_to(std::max(world_.now(), deadline));
    std::move(ended_.begin(), ended_.end(), std::back_inserter(finished));
    ended_.clear();
}

void VirtualTransport::give_back(std::vector<Finished> finished) {
    std::move(finished.begin(), finished.end(), std::back_inserter(ended_));
}

} // namespace reverse_etl::simulation
