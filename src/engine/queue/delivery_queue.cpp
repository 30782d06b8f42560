#include "engine/queue/delivery_queue.h"

#include "engine/limits/backoff.h"
#include "engine/requests/outcome_unknown.h"
#include "engine/world/random.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace reverse_etl {

namespace {

/// A row whose attempts fail while others succeed comes again after this time, twice as long each time.
constexpr Milliseconds row_base{1'000}, row_cap{60 * 60'000};

/// Where nothing else is answered, by which a row's own fault could be told from its destination's, attempts count
/// after this time.
constexpr std::chrono::hours longest_outage{24};

bool is_create(const LaneKey &key) {
    return key.operation == operation_name(OperationKind::create);
}

} // namespace

void DeliveryQueue::add(KeyQueue::Row &&row, const std::string &operation, bool is_like_last) {
    read(*row, is_like_last);
    row->lane = lane_of(*row, operation);
    row->may_be_done = row->may_be_done || row->batch != 0; // by the process that noted it
    describe(*row);
    rows_.add(std::move(row),
              [this](const QueuedRow &older, const QueuedRow &newer) { return may_replace(older, newer); });
}

void DeliveryQueue::read(const QueuedRow &row, bool is_like_last) {
    if (is_like_last && reader_.knows_members())
        reader_.read_next(row.row, row.key, row.values);
    else
        reader_.read(row.row, row.key);
}

/// Notes what reader_ read of it.
void DeliveryQueue::describe(QueuedRow &row) const {
    if (!reader_.was_told_places())
        reader_.tell_places(row.values);
    write_identity(reader_, options_.key_forms, row.identity);
    row.identity_hash = hash_of(row.identity);
}

/// Of the row that reader_ has read.
int DeliveryQueue::lane_of(const QueuedRow &row, const std::string &operation) {
    // Mostly that of the row before.
    auto is_of = [&](const LaneKey &key) {
        return key.role == row.role && key.operation == operation && key.of_sync == (row.sync != 0) &&
               (reader_.is_like_before() || (key.of_row == reader_.of_row() && key.names == reader_.names()));
    };
    if (!lanes_.empty() && is_of(lanes_[last_lane_].key))
        return last_lane_;
    LaneKey key{operation, row.role, reader_.names(), reader_.of_row(), row.sync != 0};
    auto [known, added] = lane_numbers_.try_emplace(std::move(key), static_cast<int>(lanes_.size()));
    if (added)
        lanes_.push_back({known->first, nullptr, ""});
    return last_lane_ = known->second;
}

/// An upsert or an update of the same columns leaves nothing of an earlier one, a delete nothing of either. `newer` is
/// what reader_ read.
bool DeliveryQueue::may_replace(const QueuedRow &older, const QueuedRow &newer) {
    const LaneKey &before = lanes_[older.lane].key, &after = lanes_[newer.lane].key;
    if (before.role != after.role || is_create(before))
        return false;
    if (after.operation == operation_name(OperationKind::remove))
        return true;
    return older.lane == newer.lane && !is_create(after) &&
           (after.operation == operation_name(OperationKind::update) || !options_.omits_null || writes_all_of(older));
}

/// Whether no NULL of the row that reader_ read, which is not sent, leaves a value of the earlier one as it is.
bool DeliveryQueue::writes_all_of(const QueuedRow &older) {
    std::vector<int> left;
    for (std::size_t i = 0; i < reader_.of_row(); i++)
        if (reader_.is_null(static_cast<int>(i)))
            left.push_back(static_cast<int>(i));
    if (left.empty())
        return true;
    older_reader_.read(older.row, "");
    return std::all_of(left.begin(), left.end(), [&](int column) { return older_reader_.is_null(column); });
}

void DeliveryQueue::open_lanes(const LaneOpener &open) {
    for (LaneSlot &slot : lanes_) {
        if (slot.lane != nullptr || !slot.refused.empty())
            continue;
        OpenedLane opened = open(slot.key, rows_, *this);
        slot.lane = std::move(opened.lane);
        slot.refused = std::move(opened.refused);
    }
}

void DeliveryQueue::close_lanes() {
    for (LaneSlot &slot : lanes_) {
        if (slot.lane != nullptr && slot.lane->job() != nullptr && slot.lane->job()->can_be_left())
            left_jobs_.push_back(slot.lane->job()->leave());
        slot.lane.reset();
        slot.refused.clear();
    }
}

void DeliveryQueue::start_over() {
    rows_.clear();
    lanes_.clear();
    lane_numbers_.clear();
    last_lane_ = 0;
    reader_ = {};
    older_reader_ = {};
}

Clock::time_point DeliveryQueue::send(Clock::time_point now, bool may_start, bool all_read) {
    Clock::time_point next = Clock::time_point::max();
    if (!left_jobs_.empty())
        take_up_jobs();
    if (may_start)
        for (std::size_t index : turns())
            fill(index, now, all_read);
    for (LaneSlot &slot : lanes_) {
        if (slot.lane != nullptr && slot.lane->job() != nullptr)
            next = std::min(next, slot.lane->advance_job(now, may_start));
        if (slot.lane == nullptr || slot.lane->jobs() == 0)
            continue;
        next = std::min(next, slot.lane->start_ready());
        if (slot.lane->waits_until() > now)
            next = std::min(next, slot.lane->waits_until());
        mark(*slot.lane);
    }
    if (!may_start || rows_.size() == 0)
        return next;
    next = std::min(next, health_.next_try(now));
    if (rows_.next_due() > now)
        next = std::min(next, rows_.next_due());
    return next;
}

/// The lanes, those first that were not tried for longest: where one request at a time tries a destination out, each
/// gets its turn, whatever becomes of the others' rows.
std::vector<std::size_t> DeliveryQueue::turns() const {
    std::vector<std::size_t> turns(lanes_.size());
    std::iota(turns.begin(), turns.end(), 0);
    std::stable_sort(turns.begin(), turns.end(),
                     [this](std::size_t a, std::size_t b) { return lanes_[a].probed < lanes_[b].probed; });
    return turns;
}

/// Requests that are under way, or about to be.
std::size_t DeliveryQueue::jobs_of(std::uint32_t role) const {
    std::size_t jobs = 0;
    for (const LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.key.role == role)
            jobs += slot.lane->jobs();
    return jobs;
}

void DeliveryQueue::fill(std::size_t index, Clock::time_point now, bool all_read) {
    LaneSlot &slot = lanes_[index];
    int number = static_cast<int>(index);
    if (!slot.refused.empty()) {
        while (QueuedRow *row = rows_.take(number, now))
            rejected(row->id, slot.refused, 0);
        return;
    }
    if (slot.lane == nullptr || leaves_to_job(slot, number, now, all_read) || slot.lane->waits_until() > now)
        return;
    std::size_t of_role = jobs_of(slot.key.role);
    const Circuit &circuit = health_.of(slot.key.role);
    while (slot.lane->has_room() && circuit.may_send(now, of_role) && rows_.next(number, now) != nullptr) {
        const QueuedRow &first = *rows_.next(number, now);
        const bool has_only_job = slot.lane->has_only_job();
        if (has_only_job && first.batch == 0)
            return;
        if (first.batch != 0 && slot.lane->needs_marks() && (!slot.lane->has_idempotency_key() || has_only_job)) {
            std::uint64_t id = rows_.take(number, now)->id;
            std::string reason = outcome_unknown;
            reason += ": the server stopped while it was sent";
            rejected(id, reason, 0);
            continue;
        }
        bool probing = circuit.state() != Circuit::State::closed;
        if (probing)
            slot.probed = ++probes_;
        std::vector<Batch> batches = slot.lane->make_batches(number, now, probing);
        of_role += batches.size();
        if (!batches.empty())
            slot.lane->submit(std::move(batches), now);
    }
}

/// The rows of requests that are about to be made get those requests' numbers, but for rows that were noted before.
void DeliveryQueue::mark(const DeliveryLane &lane) {
    for (const StartableJob *held : lane.held()) {
        std::int64_t request = 0;
        for (const BatchRow &of_batch : held->job->batch.rows()) {
            QueuedRow &row = rows_.row(of_batch.number);
            if (row.batch != 0)
                continue;
            if (request == 0)
                request = journal_.next_request();
            row.batch = request;
            marked_.push_back(&row);
        }
    }
}

bool DeliveryQueue::has_marks() const {
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const LaneSlot &slot) { return slot.lane != nullptr && !slot.lane->held().empty(); });
}

bool DeliveryQueue::notes_requests() const {
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const LaneSlot &slot) { return slot.lane != nullptr && slot.lane->needs_marks(); });
}

bool DeliveryQueue::marks_follow_outcomes() const {
    auto follows = [this](const StartableJob *held) {
        const std::vector<BatchRow> &rows = held->job->batch.rows();
        return std::any_of(rows.begin(), rows.end(),
                           [this](const BatchRow &row) { return rows_.row(row.number).follows; });
    };
    return std::any_of(lanes_.begin(), lanes_.end(), [&](const LaneSlot &slot) {
        if (slot.lane == nullptr)
            return false;
        const std::vector<const StartableJob *> held = slot.lane->held();
        return std::any_of(held.begin(), held.end(), follows);
    });
}

void DeliveryQueue::submit_marked() {
    marked_.clear();
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr)
            slot.lane->start_held();
}

void DeliveryQueue::drop_marked() {
    for (QueuedRow *row : std::exchange(marked_, {}))
        row->batch = 0;
    for (LaneSlot &slot : lanes_) {
        if (slot.lane == nullptr || slot.lane->held().empty())
            continue;
        for (const std::unique_ptr<Job> &job : slot.lane->withdraw())
            for (const BatchRow &row : job->batch.rows())
                rows_.put_back(row.number, Clock::now());
    }
}

bool DeliveryQueue::take(const Finished &finished) {
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.lane->take(finished))
            return true;
    return false;
}

void DeliveryQueue::succeeded(std::uint32_t role) {
    successes_[role]++;
    health_.succeeded(role);
}

void DeliveryQueue::accepted(std::uint64_t id, const std::string &) {
    KeyQueue::Row row = rows_.finish(id);
    lanes_[row->lane].lane->observer().accepted();
    succeeded(row->role);
    journal_.row_accepted(*row);
    rows_.keep(std::move(row));
}

void DeliveryQueue::absent(std::uint64_t id) {
    KeyQueue::Row row = rows_.finish(id);
    succeeded(row->role);
    journal_.row_absent(*row);
    rows_.keep(std::move(row));
}

void DeliveryQueue::rejected(std::uint64_t id, const std::string &reason, long status) {
    KeyQueue::Row row = rows_.finish(id);
    if (status != 0)
        succeeded(row->role);
    reject(std::move(row), reason, status);
}

void DeliveryQueue::reject(KeyQueue::Row row, const std::string &reason, long status) {
    const LaneSlot &slot = lanes_[row->lane];
    if (slot.lane != nullptr)
        slot.lane->observer().rejected();
    // A create is never made again on suspicion.
    const bool is_unknown = reason.starts_with(outcome_unknown);
    bool in_doubt = (status == 0 || is_unknown || row->may_be_done || !row->reasons.empty()) && !is_create(slot.key);
    bool may_be_there = is_create(slot.key) && is_unknown;
    journal_.row_rejected(*row, {reason, status, in_doubt, may_be_there, slot.lane != nullptr});
}

/// What surely was not done is not in doubt; only a request with a key has to be the same again.
void DeliveryQueue::put_off(const Batch &batch) {
    if (lanes_[rows_.row(batch.rows().front().number).lane].lane->has_idempotency_key())
        return;
    for (const BatchRow &row : batch.rows())
        journal_.row_released(rows_.row(row.number));
}

/// Each part of a request with an idempotency key is a request of its own, which is noted before it is made: else they
/// would come again as one, with a key that the destination has not seen.
bool DeliveryQueue::divides(const Batch &batch) {
    const LaneSlot &slot = lanes_[rows_.row(batch.rows().front().number).lane];
    if (!slot.lane->has_idempotency_key())
        return false;
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        journal_.row_released(row);
        row.most_together = batch.rows().size() / 2;
        row.follows = true;
        rows_.put_back(row.id, Clock::now());
    }
    return true;
}

/// The rows are lost in a fault that concerns all: the rest waits until it has passed.
void DeliveryQueue::unknown(const Batch &batch, const std::string &reason, long status) {
    std::uint32_t role = rows_.row(batch.rows().front().number).role;
    health_.failed(role, Fault::unreachable, reason);
    for (const BatchRow &row : batch.rows())
        reject(rows_.finish(row.number), reason, status);
    leave_in_peace(role);
}

void DeliveryQueue::note_failure(const Batch &batch, Clock::time_point now) {
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        if (row.fails_since != Clock::time_point{})
            continue;
        row.successes = successes_[row.role];
        row.fails_since = now;
    }
}

/// Whether a failed attempt counts against the row: it failed while its destination answers others, or for longer than
/// destinations usually do. Rows that went together are tried one by one before that is said of any, unless they have
/// to go together; and no row keeps a token from coming.
bool DeliveryQueue::is_own_fault(const QueuedRow &row, const Batch &batch, const DestinationError &error,
                                 bool was_closed, Clock::time_point now) const {
    if (batch.rows().size() > 1 && row.batch == 0)
        return false;
    const bool others_pass = was_closed || successes_.at(row.role) > row.successes;
    return (others_pass && !error.is_of_token) || now - row.fails_since > longest_outage;
}

/// A request with a key that may have been made has to be the same again.
bool DeliveryQueue::comes_again_as_it_was(const QueuedRow &row) const {
    return row.may_be_done && lanes_[row.lane].lane->has_idempotency_key();
}

/// Whether the rows of a request that comes again as it was are given up: all of them together, when even the one that
/// was tried least has been tried often enough. The rest of them would be another request, with a key of its own, and
/// would make again what may have been made.
bool DeliveryQueue::has_no_attempts_left(const Batch &batch) const {
    return std::all_of(batch.rows().begin(), batch.rows().end(), [this](const BatchRow &of_batch) {
        const QueuedRow &row = rows_.row(of_batch.number);
        return !comes_again_as_it_was(row) || row.attempts >= options_.max_attempts;
    });
}

void DeliveryQueue::failed(const Batch &batch, const DestinationError &error) {
    Clock::time_point now = Clock::now();
    std::uint32_t role = rows_.row(batch.rows().front().number).role;
    bool was_closed = health_.of(role).state() == Circuit::State::closed;
    // Where the rows may be at fault, who reads it wants to know which.
    bool may_be_rows = error.fault == Fault::unreachable || error.fault == Fault::unintelligible;
    std::string of_rows = may_be_rows && !error.detail.empty() ? " (" + error.detail + ")" : "";
    health_.failed(role, error.fault, error.what() + of_rows);
    bool waits_for_someone = health_.of(role).state() == Circuit::State::paused;
    note_failure(batch, now);
    // Rows that were sent together come again together.
    int attempts = 0;
    for (const BatchRow &of_batch : batch.rows())
        attempts = std::max(attempts, rows_.row(of_batch.number).attempts);
    Milliseconds pause = backoff(attempts + 1, row_base, row_cap, Random::jitter());
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        row.may_be_done |= error.may_be_done;
        if (!waits_for_someone && is_own_fault(row, batch, error, was_closed, now))
            row.attempts++;
    }
    bool ends = has_no_attempts_left(batch);
    for (const BatchRow &of_batch : batch.rows()) {
        QueuedRow &row = rows_.row(of_batch.number);
        if (row.reasons.size() >= QueuedRow::most_reasons)
            row.reasons.erase(row.reasons.begin());
        row.reasons.push_back(error.what());
        if (!error.is_of_token)
            row.most_together = std::max<std::size_t>(1, batch.rows().size() / 2);
        if (comes_again_as_it_was(row) ? ends : row.attempts >= options_.max_attempts) {
            std::string history;
            for (const std::string &reason : row.reasons)
                history += (history.empty() ? "" : "\n") + reason;
            std::string reason = "gave up after " + std::to_string(row.attempts) + " attempts: " + history;
            if (row.may_be_done && is_create(lanes_[row.lane].key))
                reason = std::string(outcome_unknown) + ": " + reason;
            reject(rows_.finish(row.id), reason, 0);
            continue;
        }
        defer(row, now, pause, error.what());
    }
    leave_in_peace(role);
}

/// Takes back what was not sent.
void DeliveryQueue::leave_in_peace(std::uint32_t role) {
    Clock::time_point now = Clock::now();
    for (LaneSlot &slot : lanes_)
        if (slot.lane != nullptr && slot.key.role == role)
            for (const std::unique_ptr<Job> &job : slot.lane->withdraw())
                for (const BatchRow &of_batch : job->batch.rows()) {
                    QueuedRow &row = rows_.row(of_batch.number);
                    row.may_be_done |= job->may_be_done;
                    defer(row, now, Milliseconds(0), "");
                }
}

void DeliveryQueue::defer(QueuedRow &row, Clock::time_point now, Milliseconds pause, const std::string &reason) {
    // That it was under way is no longer true.
    if (!comes_again_as_it_was(row))
        journal_.row_released(row);
    journal_.row_deferred(row, pause, reason);
    rows_.put_back(row.id, now + pause);
}

} // namespace reverse_etl
