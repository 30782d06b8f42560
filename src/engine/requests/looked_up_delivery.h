#pragma once

#include "engine/requests/key_lookup.h"
#include "engine/requests/lookup_operations.h"
#include "engine/requests/surroundings.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace reverse_etl {

/// Has the rows that are under way, to be written once more.
class RowSource {
  public:
    virtual ~RowSource() = default;
    /// Writes the row into the batch, between its begin_row() and end_row(); behind its columns it has the id, as JSON.
    /// Throws ValueRefused.
    virtual void write(std::uint64_t number, std::string_view id, RowWriter &writer, Batch &batch,
                       std::string &out) = 0;
};

/// What a delivery needs besides its operations.
struct DeliveryContext {
    Surroundings around;
    Authenticator &authenticator;
    const Policy &policy;
    RequestObserver *observer = nullptr;        ///< is told of every request
    bool holds_what_cannot_be_repeated = false; ///< such requests wait for start_held()
};

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
    /// Hands on what becomes of rows.
    class Outcomes : public OutcomeSink {
      public:
        explicit Outcomes(LookedUpDelivery &owner) : owner_(owner) {}
        void accepted(std::uint64_t row, const std::string &id) override { owner_.sink_.accepted(row, id); }
        void rejected(std::uint64_t row, const std::string &reason, long status) override {
            owner_.sink_.rejected(row, reason, status);
        }
        void absent(std::uint64_t row) override { owner_.sink_.absent(row); }
        void unknown(const Batch &batch, const std::string &reason, long status) override {
            owner_.sink_.unknown(batch, reason, status);
        }
        void put_off(const Batch &batch) override { owner_.sink_.put_off(batch); }
        void failed(const Batch &batch, const DestinationError &error) override { owner_.sink_.failed(batch, error); }

      protected:
        LookedUpDelivery &owner_;
    };
    /// Of look-ups, and of those who were found: who is not there may be created.
    class OutcomesOfFound final : public Outcomes {
      public:
        using Outcomes::Outcomes;
        void accepted(std::uint64_t row, const std::string &id) override { owner_.accepted_found(row, id); }
        void absent(std::uint64_t row) override { owner_.missing(row); }
    };

    /// A request that may follow.
    struct Next {
        Next(const CompiledOperation &operation, NullAs null_as, const DeliveryContext &context, OutcomeSink &sink);

        /// Writes the row into the batch that is being filled, which leaves when it is full.
        void add(std::uint64_t number, std::string_view id, RowSource &rows, OutcomeSink &sink);
        /// Sends what is left of it.
        void flush();
        Counts counts() const;

        const CompiledOperation &operation;
        const std::size_t most_rows;
        RowWriter writer;
        Dispatcher dispatcher;
        Delivery delivery;
        Batch batch;
    };

    void found(std::uint64_t row, const std::string &id);
    void missing(std::uint64_t row);
    void accepted_found(std::uint64_t row, const std::string &id);
    void flush();

    Dispatcher &lookups_;
    RowSource &rows_;
    OutcomeSink &sink_;
    OutcomesOfFound of_found_;
    Outcomes of_missing_;
    KeyLookup lookup_;
    Next found_;
    std::unique_ptr<Next> missing_; ///< none: rows that are not found are absent
    bool writes_found_;             ///< there is something to say of a row that is found
    bool with_ids_ = false;
    std::unordered_map<std::uint64_t, std::string> ids_; ///< of rows that were found, where somebody wants them
};

} // namespace reverse_etl
