#include "engine/limits/health.h"

#include <algorithm>

namespace reverse_etl {

void Health::succeeded(std::uint32_t role) {
    auto circuit = circuits_.find(role);
    if (circuit == circuits_.end() || circuit->second.state() == Circuit::State::closed)
        return;
    circuit->second.succeeded();
    changed_ = true;
}

void Health::failed(std::uint32_t role, Fault fault, const std::string &reason) {
    circuits_[role].failed(fault, reason, Clock::now());
    changed_ = true;
}

void Health::retry_now() {
    for (auto &[role, circuit] : circuits_)
        circuit.retry_now(Clock::now());
}

Clock::time_point Health::next_try(Clock::time_point now) const {
    Clock::time_point next = Clock::time_point::max();
    for (const auto &[role, circuit] : circuits_)
        if (circuit.state() != Circuit::State::closed && circuit.retry_at() > now)
            next = std::min(next, circuit.retry_at());
    return next;
}

} // namespace reverse_etl
