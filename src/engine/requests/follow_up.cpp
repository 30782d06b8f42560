#include "engine/requests/follow_up.h"

#include "engine/requests/batch_cut.h"
#include "engine/requests/reacting_delivery.h"
#include "engine/text/value_refused.h"

#include <utility>

namespace reverse_etl {

std::unique_ptr<Dispatcher> follow_up_dispatcher(const CompiledOperation &operation, const DeliveryContext &context,
                                                 const Policy &policy) {
    auto dispatcher = std::make_unique<Dispatcher>(operation, context.around.transport, context.around.waiter,
                                                   context.around.limiter, context.authenticator, policy);
    if (context.observer != nullptr)
        dispatcher->report_to(*context.observer);
    if (context.holds_what_cannot_be_repeated && !operation.spec().idempotent)
        dispatcher->hold_starts();
    return dispatcher;
}

FollowUp::FollowUp(const CompiledOperation &operation, const Reactions &reactions, NullAs null_as,
                   std::size_t most_rows, const DeliveryContext &context, const Policy &policy, RowSource &rows,
                   OutcomeSink &sink)
    : PassingSink(sink), operation_(operation), most_rows_(most_rows), rows_(rows), writer_(operation, null_as),
      dispatcher_(follow_up_dispatcher(operation, context, policy)), reacts_(!reactions.empty()),
      batch_(operation.frame()) {
    if (reacts_)
        delivery_ =
            std::make_unique<ReactingDelivery>(operation, *dispatcher_, reactions, null_as, context,
                                               static_cast<RowSource &>(*this), static_cast<OutcomeSink &>(*this));
    else
        delivery_ = std::make_unique<Delivery>(operation, *dispatcher_, sink, false, policy.max_attempts);
}

void FollowUp::add(std::uint64_t number, ValuesBehind behind) {
    std::string &out = batch_.begin_row(), refusal;
    try {
        rows_.write(number, behind, writer_, batch_, out);
    } catch (const ValueRefused &refused) {
        refusal = refused.what();
    } catch (...) {
        batch_.drop_row();
        throw;
    }
    if (!refusal.empty()) {
        batch_.drop_row();
        sink_.rejected(number, refusal, 0);
        return;
    }
    batch_.end_row(number);
    if (reacts_)
        behind_[number].assign(behind.begin(), behind.end());
    std::vector<Batch> full;
    if (std::optional<Batch> cut_off = cut(batch_, operation_, *this))
        full.push_back(in_order(*cut_off));
    delivery_->submit(std::move(full));
    if (batch_.rows().size() >= most_rows_)
        flush();
}

void FollowUp::flush() {
    if (batch_.rows().empty())
        return;
    std::vector<Batch> rest;
    rest.push_back(in_order(std::exchange(batch_, Batch(operation_.frame()))));
    delivery_->submit(std::move(rest));
}

RowDelivery::Counts FollowUp::counts() const {
    RowDelivery::Counts counts = delivery_->counts();
    counts.jobs += batch_.rows().empty() ? 0 : 1;
    return counts;
}

std::deque<std::unique_ptr<Job>> FollowUp::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = delivery_->withdraw();
    if (!batch_.rows().empty())
        jobs.push_back(std::make_unique<Job>(std::exchange(batch_, Batch(operation_.frame()))));
    return jobs;
}

void FollowUp::write(std::uint64_t number, ValuesBehind more, RowWriter &writer, Batch &batch, std::string &out) {
    const std::vector<std::string> &before = behind_.at(number);
    std::vector<std::string_view> all(before.begin(), before.end());
    all.insert(all.end(), more.begin(), more.end());
    rows_.write(number, all, writer, batch, out);
}

void FollowUp::accepted(std::uint64_t row, const std::string &id) {
    behind_.erase(row);
    sink_.accepted(row, id);
}

void FollowUp::rejected(std::uint64_t row, const std::string &reason, long status) {
    behind_.erase(row);
    sink_.rejected(row, reason, status);
}

void FollowUp::absent(std::uint64_t row) {
    behind_.erase(row);
    sink_.absent(row);
}

void FollowUp::unknown(const Batch &batch, const std::string &reason, long status) {
    forget(batch);
    sink_.unknown(batch, reason, status);
}

void FollowUp::failed(const Batch &batch, const DestinationError &error) {
    forget(batch);
    sink_.failed(batch, error);
}

void FollowUp::forget(const Batch &batch) {
    for (const BatchRow &row : batch.rows())
        behind_.erase(row.number);
}

} // namespace reverse_etl
