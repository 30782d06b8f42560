#pragma once

#include "engine/requests/follow_up.h"
#include "engine/requests/key_lookup.h"
#include "engine/requests/lookup_operations.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// Looks rows up by their key and then sends each for which something follows: what has an id is updated or deleted by
/// it, what has none may be created. A crash in between, or a fault of the second request, leads to another look-up.
class LookedUpDelivery : public RowDelivery {
  public:
    /// `lookups`: a dispatcher of the look-up.
    LookedUpDelivery(const CompiledOperation &lookup, Dispatcher &lookups, const AfterLookup &after,
                     const DeliveryContext &context, RowSource &rows, OutcomeSink &sink);

    void want_ids() override;
    void start(std::vector<Batch> batches) override;
    void deliver(std::vector<Batch> batches) override;
    void submit(std::vector<Batch> batches) override;
    Clock::time_point start_ready() override;
    bool take(const Finished &finished) override;
    std::deque<std::unique_ptr<Job>> withdraw() override;
    std::vector<const StartableJob *> held() const override;
    void start_held() override;
    Counts counts() const override;

  private:
    /// Of look-ups, and of those who were found: who is not there may be created.
    class OutcomesOfFound final : public PassingSink {
      public:
        OutcomesOfFound(LookedUpDelivery &owner, OutcomeSink &sink) : PassingSink(sink), owner_(owner) {}
        void accepted(std::uint64_t row, const std::string &id) override { owner_.accepted_found(row, id); }
        void absent(std::uint64_t row) override { owner_.missing(row); }

      private:
        LookedUpDelivery &owner_;
    };

    void found(std::uint64_t row, const std::string &id);
    void missing(std::uint64_t row);
    void accepted_found(std::uint64_t row, const std::string &id);
    void flush();

    Dispatcher &lookups_;
    OutcomeSink &sink_;
    OutcomesOfFound of_found_;
    PassingSink of_missing_;
    KeyLookup lookup_;
    FollowUp found_;
    std::unique_ptr<FollowUp> missing_; ///< none: rows that are not found are absent
    bool writes_found_;                 ///< there is something to say of a row that is found
    bool with_ids_ = false;
    std::unordered_map<std::uint64_t, std::string> ids_; ///< of rows that were found, where somebody wants them
};

} // namespace reverse_etl
