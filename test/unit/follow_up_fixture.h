#pragma once

#include "engine/rehearsal/given_row.h"
#include "engine/requests/row_with_more.h"

#include "dispatch_fixture.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

namespace reverse_etl {

using Outcomes = std::map<std::uint64_t, std::string>;

/// The rows of a test, which requests that follow on others write once more. Each has one outcome.
class RowsUnderWay : public OutcomeSink, protected RowSource {
  public:
    Outcomes outcomes;
    std::vector<std::uint64_t> held; ///< the first row of each request that was held

  protected:
    void absent(std::uint64_t row) override { note(row, "absent"); }
    void unknown(const Batch &batch, const std::string &reason, long) override {
        for (const BatchRow &row : batch.rows())
            note(row.number, "unknown: " + reason);
    }
    void note(std::uint64_t row, const std::string &outcome) {
        BOOST_TEST(outcomes.emplace(row, outcome).second, "a second outcome of row " << row << ": " << outcome);
    }

    void write(std::uint64_t number, ValuesBehind behind, RowWriter &writer, Batch &batch, std::string &out) override {
        const GivenRow row(rows_.at(number - 1), columns_);
        writer.write(RowWithMore(row, static_cast<int>(columns_.size()), behind), number, batch, out);
    }

    /// So requests come in an order that is known.
    static Policy one_at_a_time(const std::string &scope = "of the test") {
        Policy policy = quick();
        policy.max_in_flight = 1;
        policy.idempotency_scope = scope;
        return policy;
    }

    std::vector<Batch> batches(const CompiledOperation &operation, NullAs null_as, const std::vector<Json> &rows) {
        rows_ = rows;
        RowWriter writer(operation, null_as);
        std::vector<Batch> made;
        for (std::size_t i = 0; i < rows.size(); i++) {
            if (made.empty() || made.back().rows().size() >= operation.rows_per_batch())
                made.emplace_back(operation.frame());
            writer.write(GivenRow(rows[i], columns_), i + 1, made.back(), made.back().begin_row());
            made.back().end_row(i + 1);
        }
        return made;
    }

    /// As a loop does that serves many, where what must not be repeated is held first.
    void run_in_loop(RowDelivery &delivery) {
        while (delivery.counts().jobs > 0) {
            const auto next = std::min(delivery.start_ready(), Clock::now() + std::chrono::milliseconds(100));
            for (const StartableJob *job : delivery.held())
                held.push_back(job->job->batch.rows().front().number);
            delivery.start_held();
            std::vector<Finished> finished;
            transport_.run(waiter_, next, finished);
            for (const Finished &one : finished)
                BOOST_TEST(delivery.take(one));
        }
    }

    std::vector<StatementColumn> columns_;
    PollWaiter waiter_;
    RateLimiter limiter_;
    CurlTransport transport_;

  private:
    std::vector<Json> rows_;
};

/// Methods, paths and bodies, in the order in which they came.
inline std::string requests_to(const ScriptedDestination &destination) {
    std::string all;
    for (const Received &one : destination.received())
        all += one.method + " " + one.target + " " + one.body + "\n";
    return all;
}

} // namespace reverse_etl
