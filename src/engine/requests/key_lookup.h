#pragma once

#include "engine/requests/delivery.h"
#include "engine/requests/fetch.h"

#include <functional>
#include <string>
#include <vector>

namespace reverse_etl {

/// Finds the destination's ids of rows that are named by their key, for an operation that wants the id. It belongs to a
/// loop that serves many, like a Delivery, and never waits.
class KeyLookup : private JobHandler {
  public:
    /// Takes the id of a row, as JSON.
    using Found = std::function<void(std::uint64_t row, const std::string &id)>;

    /// `operation`: a look-up by the key, which asks for the id and the key. The sink takes the rows that have no id.
    KeyLookup(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink, Found found);

    void submit(std::vector<Batch> batches);
    Clock::time_point start_ready() { return dispatcher_.start_ready(*this); }
    bool take(const Finished &finished) { return dispatcher_.take(finished, *this); }

  private:
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void failed(std::unique_ptr<Job> job, const DestinationError &error) override { sink_.failed(job->batch, error); }

    const CompiledOperation &operation_;
    Dispatcher &dispatcher_;
    OutcomeSink &sink_;
    Found found_;
};

} // namespace reverse_etl
