#pragma once

#include "engine/http/transport.h"

#include <stdexcept>
#include <vector>

namespace reverse_etl {

/// A rehearsal never starts an exchange.
class NoTransport : public Transport {
    ExchangeId start(const Request &) override { throw std::logic_error("a rehearsal sends nothing"); }
    void cancel(ExchangeId) override {}
    void run(Waiter &, Clock::time_point, std::vector<Finished> &) override {}
    void give_back(std::vector<Finished>) override {}
};

class NoWaiter : public Waiter {
    bool wait(int, long) override { return true; }
};

} // namespace reverse_etl
