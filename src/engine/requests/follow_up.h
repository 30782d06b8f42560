#pragma once

#include "engine/requests/passing_sink.h"
#include "engine/requests/reactions.h"
#include "engine/requests/row_batch.h"
#include "engine/requests/surroundings.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// What a delivery needs besides its operations.
struct DeliveryContext {
    Surroundings around;
    Authenticator &authenticator;
    const Policy &policy;
    RequestObserver *observer = nullptr;        ///< is told of every request
    bool holds_what_cannot_be_repeated = false; ///< such requests wait for start_held()
};

/// The dispatcher of requests that follow on others.
std::unique_ptr<Dispatcher> follow_up_dispatcher(const CompiledOperation &operation, const DeliveryContext &context,
                                                 const Policy &policy);

/// Requests that follow on others: rows that are under way are written once more, for another operation.
class FollowUp final : private RowSource, private PassingSink {
  public:
    FollowUp(const CompiledOperation &operation, const Reactions &reactions, NullAs null_as, std::size_t most_rows,
             const DeliveryContext &context, const Policy &policy, RowSource &rows, OutcomeSink &sink);

    /// Writes the row, with these values behind it, into the batch that is being filled, which leaves when it is full.
    void add(std::uint64_t number, ValuesBehind behind);
    /// Sends what is left of it.
    void flush();
    RowDelivery::Counts counts() const;
    std::deque<std::unique_ptr<Job>> withdraw();

    RowDelivery &delivery() { return *delivery_; }
    const RowDelivery &delivery() const { return *delivery_; }

  private:
    // For what is tried in reaction: the row with what was behind it, which is kept until its outcome is known.
    void write(std::uint64_t number, ValuesBehind more, RowWriter &writer, Batch &batch, std::string &out) override;
    void accepted(std::uint64_t row, const std::string &id) override;
    void rejected(std::uint64_t row, const std::string &reason, long status) override;
    void absent(std::uint64_t row) override;
    void unknown(const Batch &batch, const std::string &reason, long status) override;
    void failed(const Batch &batch, const DestinationError &error) override;
    void forget(const Batch &batch);

    const std::size_t most_rows_;
    RowSource &rows_;
    std::unique_ptr<Dispatcher> dispatcher_;
    const bool reacts_;
    std::unique_ptr<RowDelivery> delivery_;
    RowBatch filling_;
    std::unordered_map<std::uint64_t, std::vector<std::string>> behind_; ///< where something may be tried in reaction
};

} // namespace reverse_etl
