#pragma once

#include "engine/requests/dispatcher.h"
#include "engine/requests/outcome_reader.h"
#include "engine/requests/row_delivery.h"

#include <string>
#include <vector>

namespace reverse_etl {

/// Takes the outcome of every row, once. Rows are known by their number in the statement.
class OutcomeSink {
  public:
    virtual ~OutcomeSink() = default;
    /// `id`: the destination's id of the row, "" where it says none or none was asked for.
    virtual void accepted(std::uint64_t row, const std::string &id) = 0;
    /// `status`: the answer's HTTP status, 0 for a row that was never sent or had no answer.
    virtual void rejected(std::uint64_t row, const std::string &reason, long status) = 0;
    virtual void absent(std::uint64_t row) = 0;
    /// No answer came that tells whether the rows were taken, and they must not be sent again. They are rejected.
    virtual void unknown(const Batch &batch, const std::string &reason, long status) {
        for (const BatchRow &row : batch.rows())
            rejected(row.number, reason, status);
    }
    /// Nothing was done with the batch's only row, and the rule has another operation tried for it. That is done once a
    /// row: unless the sink does it, the row is rejected.
    virtual void reacts(const Batch &batch, const ErrorRule &rule, const std::string &reason, Answer &answer) {
        (void)rule;
        rejected(batch.rows().front().number, reason, answer.response().status);
    }
    /// The rows are sent again, some time: nothing was done with them, or the same request may be made twice.
    virtual void put_off(const Batch &) {}
    /// The rows were refused together, and are to be tried apart. Whether the sink sees to that, by batches of its own.
    virtual bool divides(const Batch &) { return false; }
    /// These rows were not delivered, and whose fault it is concerns more than them. Unless the sink knows better, that
    /// ends everything.
    virtual void failed(const Batch &batch, const DestinationError &error) {
        (void)batch;
        throw error;
    }
};

/// Whoever sends batches of one operation for a sink, in a loop that serves many: starts what may start now and answers
/// when more may, settles what has ended.
class SinkHandler : protected JobHandler {
  public:
    Clock::time_point start_ready() { return dispatcher_.start_ready(*this); }
    bool take(const Finished &finished) { return dispatcher_.take(finished, *this); }
    /// For a statement: starts what may start and settles what has ended; or runs until all has ended.
    void advance() { dispatcher_.advance(*this); }
    void run() { dispatcher_.run(*this); }

  protected:
    SinkHandler(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink)
        : operation_(operation), dispatcher_(dispatcher), sink_(sink) {}

    void failed(std::unique_ptr<Job> job, const DestinationError &error) override { sink_.failed(job->batch, error); }

    const CompiledOperation &operation_;
    Dispatcher &dispatcher_;
    OutcomeSink &sink_;
};

/// Delivers batches of one operation and finds an outcome for every row, however the destination answers: by row, or
/// only for the whole, and then the batch is halved until the rows at fault stand alone.
class Delivery : public SinkHandler, public RowDelivery {
  public:
    /// `with_ids`: whether the sink wants the destination's ids.
    Delivery(const CompiledOperation &operation, Dispatcher &dispatcher, OutcomeSink &sink, bool with_ids,
             int max_attempts);

    void want_ids() override { with_ids_ = true; }
    void start(std::vector<Batch> batches) override;
    void deliver(std::vector<Batch> batches) override;
    void submit(std::vector<Batch> batches) override;
    Clock::time_point start_ready() override { return SinkHandler::start_ready(); }
    bool take(const Finished &finished) override { return SinkHandler::take(finished); }
    std::deque<std::unique_ptr<Job>> withdraw() override { return dispatcher_.withdraw(); }
    std::vector<const StartableJob *> held() const override;
    void start_held() override { dispatcher_.start_held(); }
    Counts counts() const override;

  private:
    void settled(std::unique_ptr<Job> job, const Verdict &verdict, Answer &answer) override;
    void put_off(const Job &job) override { sink_.put_off(job.batch); }
    void read_outcomes(Job &job, const Verdict &verdict, Answer &answer);
    /// Sends the rows again, in halves.
    void halve(const Batch &batch);
    /// Gives all rows the outcome of their request.
    void settle_all(const Batch &batch, const Verdict &verdict, long status);
    void reject_all(const Batch &batch, const std::string &reason, long status);

    OutcomeReader reader_;
    bool with_ids_;
    int max_attempts_;
};

} // namespace reverse_etl
