#include "engine/requests/follow_up.h"

#include "engine/requests/batch_cut.h"
#include "engine/requests/reacting_delivery.h"

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
    : PassingSink(sink), most_rows_(most_rows), rows_(rows),
      dispatcher_(follow_up_dispatcher(operation, context, policy)), reacts_(!reactions.empty()),
      filling_(operation, null_as) {
    auto &own_sink = static_cast<OutcomeSink &>(*this);
    delivery_ = delivery_of(operation, *dispatcher_, reactions, context, static_cast<RowSource &>(*this),
                            reacts_ ? own_sink : sink);
}

void FollowUp::add(std::uint64_t number, ValuesBehind behind) {
    if (!filling_.add(number, behind, rows_, sink_))
        return;
    if (reacts_)
        behind_[number].assign(behind.begin(), behind.end());
    std::vector<Batch> full;
    if (std::optional<Batch> cut_off = filling_.cut(*this))
        full.push_back(in_order(*cut_off));
    delivery_->submit(std::move(full));
    if (filling_.rows() >= most_rows_)
        flush();
}

void FollowUp::flush() {
    if (filling_.rows() == 0)
        return;
    std::vector<Batch> rest;
    rest.push_back(in_order(filling_.take()));
    delivery_->submit(std::move(rest));
}

RowDelivery::Counts FollowUp::counts() const {
    RowDelivery::Counts counts = delivery_->counts();
    counts.jobs += filling_.rows() > 0 ? 1 : 0;
    return counts;
}

std::deque<std::unique_ptr<Job>> FollowUp::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = delivery_->withdraw();
    if (filling_.rows() > 0)
        jobs.push_back(std::make_unique<Job>(filling_.take()));
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
