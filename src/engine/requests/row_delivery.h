#pragma once

#include "engine/requests/dispatcher.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace reverse_etl {

/// Brings rows to their outcomes, in batches. A statement waits for them; a loop that serves many never does.
class RowDelivery {
  public:
    virtual ~RowDelivery() = default;

    /// From now on the sink wants the destination's ids.
    virtual void want_ids() = 0;

    /// Sends what may go at once, and returns without waiting for answers. Throws as deliver() does.
    virtual void start(std::vector<Batch> batches) = 0;
    /// Returns when every row of the batches, and of those that were started, has its outcome. Throws DestinationError
    /// when nothing more can be sent; rows without an outcome by then have none.
    virtual void deliver(std::vector<Batch> batches) = 0;

    /// For a loop: adds batches.
    virtual void submit(std::vector<Batch> batches) = 0;
    /// Starts what may start now; answers when more may.
    virtual Clock::time_point start_ready() = 0;
    /// Settles what has ended, if it is one of this delivery's.
    virtual bool take(const Finished &finished) = 0;
    /// Gives back what was not sent, or is to be sent again.
    virtual std::deque<std::unique_ptr<Job>> withdraw() = 0;
    /// Requests that may be sent now and are held, since something has to be done before.
    virtual std::vector<const StartableJob *> held() const = 0;
    virtual void start_held() = 0;

    struct Counts {
        std::size_t jobs = 0;           ///< that are not settled
        std::size_t in_flight = 0;      ///< of these
        std::size_t rows_in_flight = 0; ///< sent, and not yet answered
        std::uint64_t requests = 0, bytes = 0;

        Counts operator+(const Counts &other) const {
            return {jobs + other.jobs, in_flight + other.in_flight, rows_in_flight + other.rows_in_flight,
                    requests + other.requests, bytes + other.bytes};
        }
    };
    virtual Counts counts() const = 0;
};

RowDelivery::Counts counts_of(const Dispatcher &dispatcher);

} // namespace reverse_etl
