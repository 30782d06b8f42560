#pragma once

#include "engine/requests/delivery.h"
#include "engine/requests/fetch.h"

#include <functional>
#include <string>
#include <vector>

namespace reverse_etl {

/// Finds the destination's ids of rows that are named by their key, for an operation that wants the id. It belongs to a
/// loop that serves many, like a Delivery, and never waits.
class KeyLookup : public SinkHandler {
  public:
    /// Takes the id of a row, as JSON.
    using IdReceiver = std::function<void(std::uint64_t row, const std::string &id)>;

    /// `operation`: a look-up by the key, which asks for the id and the key. The sink takes the rows that have no id.
    /// `field`: the one whose value is wanted in place of the id.
    KeyLookup(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink, IdReceiver found,
              std::string field = "");

    void submit(std::vector<Batch> batches);

  private:
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;

    IdReceiver found_;
    const std::string field_;
};

} // namespace reverse_etl
