#include "engine/requests/looked_up_delivery.h"

#include "engine/requests/json_row.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace reverse_etl {

LookedUpDelivery::LookedUpDelivery(const CompiledOperation &lookup, Dispatcher &lookups, const AfterLookup &after,
                                   const DeliveryContext &context, RowSource &rows, OutcomeSink &sink)
    : lookups_(lookups), sink_(sink), of_found_(*this, sink), of_missing_(sink),
      lookup_(lookup, lookups, of_found_, [this](std::uint64_t row, const std::string &id) { found(row, id); }),
      found_(after.found, after.of_found, after.null_as_found, most_rows_after_lookup(after.found), context,
             context.policy, rows, of_found_) {
    if (after.missing)
        missing_ = std::make_unique<FollowUp>(*after.missing, after.of_missing, after.null_as_missing,
                                              most_rows_after_lookup(*after.missing), context, context.policy, rows,
                                              of_missing_);
    const std::vector<StatementColumn> &columns = after.found.columns();
    writes_found_ = missing_ == nullptr || std::any_of(columns.begin(), columns.end(),
                                                       [](const StatementColumn &column) { return column.written; });
}

void LookedUpDelivery::want_ids() {
    with_ids_ = true;
    found_.delivery().want_ids();
    if (missing_ != nullptr)
        missing_->delivery().want_ids();
}

void LookedUpDelivery::found(std::uint64_t row, const std::string &id) {
    if (with_ids_)
        append_as_text(id, ids_[row]);
    const std::string_view behind[] = {id};
    if (writes_found_)
        found_.add(row, behind);
    else
        accepted_found(row, "");
}

void LookedUpDelivery::missing(std::uint64_t row) {
    if (missing_ != nullptr)
        missing_->add(row, {});
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
    found_.delivery().deliver({});
    if (missing_ == nullptr)
        return;
    missing_->flush();
    missing_->delivery().deliver({});
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
    Clock::time_point next = std::min(lookup_.start_ready(), found_.delivery().start_ready());
    return missing_ == nullptr ? next : std::min(next, missing_->delivery().start_ready());
}

bool LookedUpDelivery::take(const Finished &finished) {
    return lookup_.take(finished) || found_.delivery().take(finished) ||
           (missing_ != nullptr && missing_->delivery().take(finished));
}

std::deque<std::unique_ptr<Job>> LookedUpDelivery::withdraw() {
    std::deque<std::unique_ptr<Job>> jobs = lookups_.withdraw();
    std::ranges::move(found_.withdraw(), std::back_inserter(jobs));
    if (missing_ != nullptr)
        std::ranges::move(missing_->withdraw(), std::back_inserter(jobs));
    return jobs;
}

std::vector<const StartableJob *> LookedUpDelivery::held() const {
    std::vector<const StartableJob *> held = found_.delivery().held();
    if (missing_ != nullptr)
        std::ranges::copy(missing_->delivery().held(), std::back_inserter(held));
    return held;
}

void LookedUpDelivery::start_held() {
    found_.delivery().start_held();
    if (missing_ != nullptr)
        missing_->delivery().start_held();
}

RowDelivery::Counts LookedUpDelivery::counts() const {
    Counts counts = counts_of(lookups_) + found_.counts();
    return missing_ == nullptr ? counts : counts + missing_->counts();
}

} // namespace reverse_etl
