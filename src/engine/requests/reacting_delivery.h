#pragma once

#include "engine/requests/follow_up.h"
#include "engine/requests/key_lookup.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// Delivers rows, and where an answer asks for it tries another operation for a row: in place of the first, or before
/// that, or another, is made. Once a row. After a crash or a fault on the way, a row begins anew.
class ReactingDelivery : public RowDelivery {
  public:
    /// `first`: a dispatcher of the operation.
    ReactingDelivery(const CompiledOperation &operation, Dispatcher &first, const Reactions &reactions,
                     const DeliveryContext &context, RowSource &rows, OutcomeSink &sink);
    ~ReactingDelivery() override;

    void want_ids() override;
    Counts counts() const override;
    void start(std::vector<Batch> batches) override { first_.start(std::move(batches)); }
    void deliver(std::vector<Batch> batches) override;
    void submit(std::vector<Batch> batches) override { first_.submit(std::move(batches)); }
    Clock::time_point start_ready() override;
    bool take(const Finished &finished) override;
    std::deque<std::unique_ptr<Job>> withdraw() override;
    std::vector<const StartableJob *> held() const override;
    void start_held() override;

  private:
    class Reaction;

    /// Hands on what becomes of the first request; some rows are not done with by that.
    class OutcomesOfFirst final : public PassingSink {
      public:
        OutcomesOfFirst(ReactingDelivery &owner, OutcomeSink &sink) : PassingSink(sink), owner_(owner) {}
        bool divides(const Batch &batch) override { return sink_.divides(batch); }
        void reacts(const Batch &batch, const ErrorRule &rule, const std::string &reason, Answer &answer) override;

      private:
        ReactingDelivery &owner_;
    };

    OutcomesOfFirst of_first_;
    Delivery first_;
    std::vector<std::unique_ptr<Reaction>> reactions_;
};

/// The same where the operation may have no reactions: then nothing is in the way of a row.
std::unique_ptr<RowDelivery> delivery_of(const CompiledOperation &operation, Dispatcher &first,
                                         const Reactions &reactions, const DeliveryContext &context, RowSource &rows,
                                         OutcomeSink &sink);

} // namespace reverse_etl
