/// What becomes of the rows of an OutboxQueue: they leave, are rejected, or are put off.

#include "postgres/outbox/queue.h"

#include "engine/requests/outcome_unknown.h"
#include "postgres/outbox/wait.h"

namespace reverse_etl {

namespace {

std::unique_ptr<Settlement::Words> words_of(const std::string &reason, long status) {
    auto words = std::make_unique<Settlement::Words>();
    words->reason = reason;
    words->status = status;
    return words;
}

} // namespace

void OutboxQueue::settle_row(Settlement::Kind kind, const QueuedRow &row, SyncOutcomes::Outcome of_sync, bool in_doubt,
                             std::unique_ptr<Settlement::Words> words) {
    settlement_.add({kind, static_cast<std::int64_t>(row.id), row.push, row.table, row.place, row.sync, of_sync,
                     in_doubt, std::move(words)});
}

void OutboxQueue::reject_stored(const StoredRow &stored, const std::string &reason, bool is_in_job) {
    const bool is_create = stored.operation == operation_name(OperationKind::create);
    // What is noted may have been made.
    const bool may_be_there = is_create && (stored.row->batch != 0 || is_in_job);
    requests_.settled(*stored.row);
    settle_row(Settlement::Kind::rejected, *stored.row,
               may_be_there ? SyncOutcomes::Outcome::unknown : SyncOutcomes::Outcome::rejected, !is_create,
               words_of(may_be_there || is_in_job ? std::string(outcome_unknown) + ": " + reason : reason, 0));
    queue_.rows().finish_unqueued(stored.row->id);
    lower_level(1, stored.row->stored_bytes);
    if (statistics_)
        statistics_->rejected();
}

void OutboxQueue::lower_level(std::size_t rows, std::size_t bytes) {
    if (statistics_)
        statistics_->add_waiting(-static_cast<std::int64_t>(rows), -static_cast<std::int64_t>(bytes));
}

void OutboxQueue::leave_replaced(const QueuedRow &row, SyncOutcomes::Outcome outcome) {
    for (const QueuedRow::ReplacedChange &replaced : row.replaced)
        settlement_.add({Settlement::Kind::replaced, static_cast<std::int64_t>(replaced.id), replaced.push,
                         replaced.table, replaced.place, replaced.sync, outcome, false, nullptr});
}

void OutboxQueue::leave(const QueuedRow &row, Settlement::Kind how) {
    statistics_->coalesced(row.replaced.size());
    lower_level(1 + row.replaced.size(), row.stored_bytes);
    requests_.settled(row);
    settle_row(how, row,
               how == Settlement::Kind::absent ? SyncOutcomes::Outcome::absent : SyncOutcomes::Outcome::accepted, false,
               nullptr);
    leave_replaced(row, SyncOutcomes::Outcome::accepted);
    delivered_ += 1 + row.replaced.size();
}

void OutboxQueue::row_accepted(const QueuedRow &row) {
    leave(row, Settlement::Kind::accepted);
}

void OutboxQueue::row_absent(const QueuedRow &row) {
    leave(row, Settlement::Kind::absent);
}

void OutboxQueue::row_rejected(const QueuedRow &row, const Rejection &rejection) {
    statistics_->coalesced(row.replaced.size());
    lower_level(1 + row.replaced.size(), row.stored_bytes);
    if (!rejection.of_lane)
        statistics_->rejected();
    requests_.settled(row);
    settle_row(Settlement::Kind::rejected, row,
               rejection.may_be_there ? SyncOutcomes::Outcome::unknown : SyncOutcomes::Outcome::rejected,
               rejection.in_doubt, words_of(rejection.reason, rejection.status));
    leave_replaced(row, SyncOutcomes::Outcome::cancelled);
}

void OutboxQueue::row_deferred(const QueuedRow &row, Milliseconds pause, const std::string &reason) {
    auto words = std::make_unique<Settlement::Words>();
    words->reason = reason;
    words->attempts = row.attempts;
    words->pause_ms = pause.count();
    settle_row(Settlement::Kind::deferred, row, SyncOutcomes::Outcome::cancelled, false, std::move(words));
}

Clock::time_point OutboxQueue::settle_at(Clock::time_point now) {
    if (settlement_.is_empty()) {
        unsettled_since_ = Clock::time_point::max();
        return unsettled_since_;
    }
    if (health_.is_held(now))
        return health_.held_until();
    if (settlement_.is_written())
        return settlement_.put_off_until();
    if (unsettled_since_ == Clock::time_point::max())
        unsettled_since_ = now;
    bool at_once = settlement_.size() >= many_outcomes || queue_.rows().under_way() == 0;
    return at_once ? now : unsettled_since_ + longest_unsettled;
}

void OutboxQueue::settle() {
    if (statistics_)
        statistics_->add_rows();
    settlement_.settle(name_);
    if (settlement_.is_written()) {
        queue_.rows().forget_finished();
        keep_put_off_known();
    }
    unsettled_since_ = Clock::time_point::max();
    announce_outcomes();
}

/// They are still there to be read, and are not to be sent again.
void OutboxQueue::keep_put_off_known() {
    settlement_.for_each_put_off([this](std::uint64_t id) { queue_.rows().finish_unqueued(id); });
}

} // namespace reverse_etl
