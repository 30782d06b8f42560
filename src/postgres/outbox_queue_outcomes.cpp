/// What becomes of the rows of an OutboxQueue: they leave, are rejected, or are put off.

#include "postgres/outbox_queue.h"

#include "engine/backoff.h"
#include "engine/random.h"

#include <algorithm>
#include <string_view>

namespace reverse_etl {

namespace {

/// A row whose attempts fail while others succeed comes again after this time, twice as long each time.
constexpr Milliseconds row_base{1'000}, row_cap{60 * 60'000};
/// What jsonb has no place for, though json has.
bool holds_nul(std::string_view json) {
    return json.find("\\u0000") != std::string_view::npos;
}

std::unique_ptr<Settlement::Words> words_of(const QueuedRow &row, const std::string &reason, long status) {
    auto words = std::make_unique<Settlement::Words>();
    words->reason = reason;
    words->status = status;
    words->as_text = holds_nul(row.key) || holds_nul(row.row);
    return words;
}

} // namespace

void OutboxQueue::settle_row(Settlement::Kind kind, const QueuedRow &row, SyncOutcomes::Outcome of_sync, bool in_doubt,
                             std::unique_ptr<Settlement::Words> words) {
    settlement_.add({kind, static_cast<std::int64_t>(row.id), row.push, row.table, row.place, row.sync, of_sync,
                     in_doubt, std::move(words)});
}

void OutboxQueue::reject_stored(const StoredRow &stored, const std::string &reason) {
    requests_.settled(*stored.row);
    settle_row(Settlement::Kind::rejected, *stored.row, SyncOutcomes::Outcome::rejected,
               stored.operation != operation_name(OperationKind::create), words_of(*stored.row, reason, 0));
    rows_.finish_unqueued(stored.row->id);
    lower_level(1, stored.row->stored_bytes);
    if (statistics_)
        statistics_->rejected();
}

void OutboxQueue::lower_level(std::size_t rows, std::size_t bytes) {
    if (statistics_)
        statistics_->add_waiting(-static_cast<std::int64_t>(rows), -static_cast<std::int64_t>(bytes));
}

void OutboxQueue::leave_replaced(const QueuedRow &row, SyncOutcomes::Outcome outcome) {
    for (const QueuedRow::Replaced &replaced : row.replaced)
        settlement_.add({Settlement::Kind::replaced, static_cast<std::int64_t>(replaced.id), replaced.push,
                         replaced.table, replaced.place, replaced.sync, outcome, false, nullptr});
}

void OutboxQueue::leave(std::uint64_t id, Settlement::Kind how) {
    KeyQueue::Row row = rows_.finish(id);
    statistics_->coalesced(row->replaced.size());
    lower_level(1 + row->replaced.size(), row->stored_bytes);
    health_.succeeded(row->role);
    requests_.settled(*row);
    settle_row(how, *row, SyncOutcomes::Outcome::accepted, false, nullptr);
    leave_replaced(*row, SyncOutcomes::Outcome::accepted);
    delivered_ += 1 + row->replaced.size();
}

void OutboxQueue::accepted(std::uint64_t id, const std::string &) {
    lanes_[rows_.row(id).lane].lane->activity().accepted();
    leave(id, Settlement::Kind::accepted);
}

void OutboxQueue::absent(std::uint64_t id) {
    leave(id, Settlement::Kind::absent);
}

void OutboxQueue::rejected(std::uint64_t id, const std::string &reason, long status) {
    KeyQueue::Row row = rows_.finish(id);
    statistics_->coalesced(row->replaced.size());
    lower_level(1 + row->replaced.size(), row->stored_bytes);
    if (Lane *lane = lanes_[row->lane].lane.get())
        lane->activity().rejected();
    else
        statistics_->rejected();
    if (status != 0)
        health_.succeeded(row->role);
    requests_.settled(*row);
    // A create is never made again on suspicion.
    bool in_doubt = (status == 0 || !row->reasons.empty()) &&
                    lanes_[row->lane].key.operation != operation_name(OperationKind::create);
    settle_row(Settlement::Kind::rejected, *row, SyncOutcomes::Outcome::rejected, in_doubt,
               words_of(*row, reason, status));
    leave_replaced(*row, SyncOutcomes::Outcome::cancelled);
}

void OutboxQueue::failed(const Batch &batch, const DestinationError &error) {
    Clock::time_point now = Clock::now();
    Oid role = rows_.row(batch.rows().front().number).role;
    const Circuit &circuit = health_.of(role);
    // A failure among successes may be the rows' own doing; one among failures is not.
    bool of_rows = circuit.state() == Circuit::State::closed;
    health_.failed(role, error.fault, error.what());
    bool waits_for_someone = circuit.state() == Circuit::State::paused;
    // Rows that were sent together come again together.
    int attempts = 0;
    for (const BatchRow &of_batch : batch.rows())
        attempts = std::max(attempts, rows_.row(of_batch.number).attempts);
    Milliseconds pause = backoff(attempts + 1, row_base, row_cap, Random::jitter());
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        if (of_rows && !waits_for_someone)
            row.attempts++;
        if (row.reasons.size() >= Outbox::most_reasons)
            row.reasons.erase(row.reasons.begin());
        row.reasons.push_back(error.what());
        if (row.attempts >= destination_->outbox.max_attempts) {
            std::string history;
            for (const std::string &reason : row.reasons)
                history += (history.empty() ? "" : "\n") + reason;
            rejected(row.id, "gave up after " + std::to_string(row.attempts) + " attempts: " + history, 0);
            continue;
        }
        defer(row, now, pause, error.what());
    }
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.key.role == role)
            withdraw(*slot.lane);
}

/// Takes back what was not sent: the destination is to have its peace.
void OutboxQueue::withdraw(Lane &lane) {
    Clock::time_point now = Clock::now();
    for (const std::unique_ptr<Job> &job : lane.withdraw())
        for (const BatchRow &row : job->batch.rows())
            defer(rows_.row(row.number), now, Milliseconds(0), "");
}

void OutboxQueue::defer(QueuedRow &row, Clock::time_point now, Milliseconds pause, const std::string &reason) {
    // That it was under way is no longer true; only a request with a key has to be the same again.
    const LaneSlot &slot = lanes_[row.lane];
    if (!slot.lane->has_idempotency_key())
        requests_.released(row);
    auto words = std::make_unique<Settlement::Words>();
    words->reason = reason;
    words->attempts = row.attempts;
    words->pause_ms = pause.count();
    settle_row(Settlement::Kind::deferred, row, SyncOutcomes::Outcome::cancelled, false, std::move(words));
    rows_.put_back(row.id, now + pause);
}

Clock::time_point OutboxQueue::settle_at(Clock::time_point now) {
    if (settlement_.is_empty()) {
        unsettled_since_ = Clock::time_point::max();
        return unsettled_since_;
    }
    if (health_.is_held(now))
        return health_.held_until();
    if (unsettled_since_ == Clock::time_point::max())
        unsettled_since_ = now;
    bool at_once = settlement_.size() >= many_outcomes || rows_.under_way() == 0;
    return at_once ? now : unsettled_since_ + longest_unsettled;
}

void OutboxQueue::settle() {
    if (statistics_)
        statistics_->add_rows();
    settlement_.settle(name_);
    if (settlement_.is_empty())
        rows_.forget_finished();
    unsettled_since_ = Clock::time_point::max();
}

} // namespace reverse_etl
