#include "engine/requests/looked_up_delivery.h"

#include "engine/requests/batch_cut.h"
#include "engine/requests/json_row.h"
#include "engine/text/value_refused.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace reverse_etl {

LookedUpDelivery::Next::Next(const CompiledOperation &operation, NullAs null_as, const DeliveryContext &context,
                             OutcomeSink &sink)
    : operation(operation), most_rows(most_rows_after_lookup(operation)), writer(operation, null_as),
      dispatcher(operation, context.around.transport, context.around.waiter, context.around.limiter,
                 context.authenticator, context.policy),
      delivery(operation, dispatcher, sink, false, context.policy.max_attempts), batch(operation.frame()) {
    if (context.observer != nullptr)
        dispatcher.report_to(*context.observer);
    if (context.holds_what_cannot_be_repeated && !operation.spec().idempotent)
        dispatcher.hold_starts();
}

void LookedUpDelivery::Next::add(std::uint64_t number, std::string_view id, RowSource &rows, OutcomeSink &sink) {
    std::string &out = batch.begin_row(), refusal;
    try {
        rows.write(number, id, writer, batch, out);
    } catch (const ValueRefused &refused) {
        refusal = refused.what();
    } catch (...) {
        batch.drop_row();
        throw;
    }
    if (!refusal.empty()) {
        batch.drop_row();
        sink.rejected(number, refusal, 0);
        return;
    }
    batch.end_row(number);
    std::vector<Batch> full;
    if (std::optional<Batch> cut_off = cut(batch, operation, sink))
        full.push_back(in_order(*cut_off));
    delivery.submit(std::move(full));
    if (batch.rows().size() >= most_rows)
        flush();
}

void LookedUpDelivery::Next::flush() {
    if (batch.rows().empty())
        return;
    std::vector<Batch> rest;
    rest.push_back(in_order(std::exchange(batch, Batch(operation.frame()))));
    delivery.submit(std::move(rest));
}

RowDelivery::Counts LookedUpDelivery::Next::counts() const {
    Counts counts = delivery.counts();
    counts.jobs += batch.rows().empty() ? 0 : 1;
    return counts;
}

LookedUpDelivery::LookedUpDelivery(const CompiledOperation &lookup, Dispatcher &lookups, const AfterLookup &after,
                                   const DeliveryContext &context, RowSource &rows, OutcomeSink &sink)
    : lookups_(lookups), rows_(rows), sink_(sink), of_found_(*this), of_missing_(*this),
      lookup_(lookup, lookups, of_found_, [this](std::uint64_t row, const std::string &id) { found(row, id); }),
      found_(after.found, after.null_as_found, context, of_found_) {
    if (after.missing)
        missing_ = std::make_unique<Next>(*after.missing, after.null_as_missing, context, of_missing_);
    const std::vector<StatementColumn> &columns = after.found.columns();
    writes_found_ = missing_ == nullptr || std::any_of(columns.begin(), columns.end(),
                                                       [](const StatementColumn &column) { return column.written; });
}

void LookedUpDelivery::want_ids() {
    with_ids_ = true;
    found_.delivery.want_ids();
    if (missing_ != nullptr)
        missing_->delivery.want_ids();
}

void LookedUpDelivery::found(std::uint64_t row, const std::string &id) {
    if (with_ids_)
        append_as_text(id, ids_[row]);
    if (writes_found_)
        found_.add(row, id, rows_, sink_);
    else
        accepted_found(row, "");
}

void LookedUpDelivery::missing(std::uint64_t row) {
    if (missing_ != nullptr)
        missing_->add(row, "null", rows_, sink_);
    else
        sink_.absent(row);
}

void LookedUpDelivery::accepted_found(std::uint64_t row, const std::string &id) {
    auto known = ids_.extract(row);
    sink_.accepted(row, id.empty() && !known.empty() ? known.mapped() : id);
}

void LookedUpDelivery::start(std::vector<Batch> batches) {
    submit(std::move(batches));
    lookup_.advance();
}

void LookedUpDelivery::deliver(std::vector<Batch> batches) {
    submit(std::move(batches));
    lookup_.run();
    found_.flush();
    found_.delivery.run();
    if (missing_ == nullptr)
        return;
    missing_->flush();
    missing_->delivery.run();
}

void LookedUpDelivery::submit(std::vector<Batch> batches) {
    lookup_.submit(std::move(batches));
}

/// Rows that were found wait until a request is full, or nothing is being looked up any more.
void LookedUpDelivery::flush() {
    if (lookups_.jobs() > 0)
        return;
    found_.flush();
    if (missing_ != nullptr)
        missing_->flush();
}

Clock::time_point LookedUpDelivery::start_ready() {
    flush();
    Clock::time_point next = std::min(lookup_.start_ready(), found_.delivery.start_ready());
    return missing_ == nullptr ? next : std::min(next, missing_->delivery.start_ready());
}

bool LookedUpDelivery::take(const Finished &finished) {
    return lookup_.take(finished) || found_.delivery.take(finished) ||
           (missing_ != nullptr && missing_->delivery.take(finished));
}

std::deque<std::unique_ptr<Job>> LookedUpDelivery::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = lookups_.withdraw();
    for (Next *next : {&found_, missing_.get()}) {
        if (next == nullptr)
            continue;
        std::ranges::move(next->delivery.withdraw(), std::back_inserter(jobs));
        if (!next->batch.rows().empty())
            jobs.push_back(std::make_unique<Job>(std::exchange(next->batch, Batch(next->operation.frame()))));
    }
    return jobs;
}

std::vector<const StartableJob *> LookedUpDelivery::held() const {
    std::vector<const StartableJob *> held = found_.delivery.held();
    if (missing_ != nullptr)
        std::ranges::copy(missing_->delivery.held(), std::back_inserter(held));
    return held;
}

void LookedUpDelivery::start_held() {
    found_.delivery.start_held();
    if (missing_ != nullptr)
        missing_->delivery.start_held();
}

RowDelivery::Counts LookedUpDelivery::counts() const {
    Counts counts = counts_of(lookups_) + found_.counts();
    return missing_ == nullptr ? counts : counts + missing_->counts();
}

} // namespace reverse_etl
